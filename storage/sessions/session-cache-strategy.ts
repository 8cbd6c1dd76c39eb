import { LRUCache } from "lru-cache";
import type { Collection, DocumentStore } from "../documents/documents.ts";
import { toKeySegment } from "../documents/key.ts";
import { RememberedDocument } from "../documents/changes.ts";
import type { SessionRecord } from "./session-record.ts";

/** A session in a cache. Don't change it, except to serialize it. */
export interface CachedSession {
  /** Epoch seconds; after that, the entry isn't used. */
  readonly cacheExpiry: number;
  /** The key of the entry. It isn't a credential, because cookies and tokens are signed. */
  readonly token: string;
  /** When the session expires. */
  readonly expires: Date;
  readonly record: SessionRecord;
  /** The version at which the record was read. */
  readonly version: string;
}

/**
 * Stores cached sessions, for a storage that doesn't push changes. Each method can be asynchronous.
 *
 * The methods are those of Vendure's interface of the same name.
 */
export interface SessionCacheStrategy {
  set(session: CachedSession): void | Promise<void>;
  get(token: string): CachedSession | undefined | Promise<CachedSession | undefined>;
  delete(token: string): void | Promise<void>;
  clear(): void | Promise<void>;
}

/** Caches up to `max` sessions in this process, and evicts the least recently used first. */
export class InMemorySessionCacheStrategy implements SessionCacheStrategy {
  readonly #sessions: LRUCache<string, CachedSession>;

  constructor({ max = 10_000 }: { readonly max?: number } = {}) {
    // Limited by size, because the cache allocates a limit by number immediately.
    this.#sessions = new LRUCache({ maxSize: max, sizeCalculation: () => 1 });
  }

  set(session: CachedSession): void {
    this.#sessions.set(session.token, session);
  }

  get(token: string): CachedSession | undefined {
    return this.#sessions.get(token);
  }

  delete(token: string): void {
    this.#sessions.delete(token);
  }

  clear(): void {
    this.#sessions.clear();
  }
}

/** Caches sessions in any storage, which several servers can share. */
export class DefaultSessionCacheStrategy implements SessionCacheStrategy {
  readonly #entries: Collection<StoredEntry>;
  readonly #generations: Collection<number>;
  /** The current generation. Entries of another one count as absent, so `clear` costs one write. */
  readonly #generation: RememberedDocument<number>;

  constructor(store: DocumentStore) {
    this.#entries = store.collection("session-cache", isStoredEntry);
    this.#generations = store.collection(generations, isNumber);
    const path = `${generations}:${key}`;
    this.#generation = new RememberedDocument(store.watch(generations), path, async () => {
      return (await this.#generations.get(key)).value ?? 0;
    });
  }

  async set(session: CachedSession): Promise<void> {
    const generation = await this.#generation.current();
    const entry = { generation, session: { ...session, expires: session.expires.getTime() } };
    const expiresAt = session.cacheExpiry * 1000;
    await this.#entries.update(toKeySegment(session.token), () => ({ set: entry, expiresAt }));
  }

  async get(token: string): Promise<CachedSession | undefined> {
    const [generation, { value: entry }] = await Promise.all([
      this.#generation.current(),
      this.#entries.get(toKeySegment(token)),
    ]);
    if (entry === undefined || entry.generation !== generation) return undefined;
    return { ...entry.session, expires: new Date(entry.session.expires) };
  }

  async delete(token: string): Promise<void> {
    await this.#entries.take(toKeySegment(token));
  }

  async clear(): Promise<void> {
    await this.#generations.update(key, (generation = 0) => ({ set: generation + 1 }));
  }
}

// --- Internal helpers ---

const generations = "session-cache-generation";
const key = "current";

interface StoredEntry {
  readonly generation: number;
  readonly session: Omit<CachedSession, "expires"> & { readonly expires: number };
}

function isStoredEntry(value: unknown): value is StoredEntry {
  const { generation, session } = (value ?? {}) as Partial<StoredEntry>;
  return typeof generation === "number" && typeof session === "object" && session !== null;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}
