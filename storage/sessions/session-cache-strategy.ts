import { LRUCache } from "lru-cache";
import type { Collection, DocumentStore } from "../documents/documents.ts";
import { toKeySegment } from "../documents/key.ts";
import type { SessionRecord, ShopUser } from "./session-record.ts";

/** The user of a cached session, as Vendure's strategies know it. */
export interface CachedSessionUser {
  readonly id: ShopUser["id"];
  /** The e-mail address. */
  readonly identifier: string;
  readonly verified: boolean;
  readonly channelPermissions: readonly unknown[];
}

/** A session in a form that is easy to keep. Do not change it but to store it. */
export interface CachedSession {
  /** Epoch seconds; after that the entry will not be asked for. */
  readonly cacheExpiry: number;
  readonly id: string;
  /** What the entry is found by. It is no credential: what travels is signed. */
  readonly token: string;
  readonly expires: Date;
  /** The key of the visitor's basket. */
  readonly activeOrderId?: string;
  /** The shop. */
  readonly activeChannelId?: number;
  readonly authenticationStrategy?: string;
  readonly user?: CachedSessionUser;
  /** The record itself, and the version it was read at. */
  readonly record: SessionRecord;
  readonly version: string;
}

/** Where sessions are cached: Vendure's interface. Each method may be asynchronous. */
export interface SessionCacheStrategy {
  set(session: CachedSession): void | Promise<void>;
  get(token: string): CachedSession | undefined | Promise<CachedSession | undefined>;
  delete(token: string): void | Promise<void>;
  clear(): void | Promise<void>;
}

/** Keeps up to `max` sessions in this process; the one used least goes first. */
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

/** Keeps sessions in any storage, which several servers may share. */
export class DefaultSessionCacheStrategy implements SessionCacheStrategy {
  readonly #entries: Collection<StoredEntry>;
  /** Entries of another generation count as gone, so that clearing costs one write. */
  readonly #generations: Collection<number>;

  constructor(store: DocumentStore) {
    this.#entries = store.collection("session-cache", isStoredEntry);
    this.#generations = store.collection("session-cache-generation", isNumber);
  }

  async set(session: CachedSession): Promise<void> {
    const generation = await this.#generation();
    const entry = { generation, session: { ...session, expires: session.expires.getTime() } };
    const expiresAt = session.cacheExpiry * 1000;
    await this.#entries.update(toKeySegment(session.token), () => ({ set: entry, expiresAt }));
  }

  async get(token: string): Promise<CachedSession | undefined> {
    const [generation, { value: entry }] = await Promise.all([
      this.#generation(),
      this.#entries.get(toKeySegment(token)),
    ]);
    if (entry === undefined || entry.generation !== generation) return undefined;
    return { ...entry.session, expires: new Date(entry.session.expires) };
  }

  async delete(token: string): Promise<void> {
    await this.#entries.take(toKeySegment(token));
  }

  async clear(): Promise<void> {
    await this.#generations.update("current", (generation = 0) => ({ set: generation + 1 }));
  }

  async #generation(): Promise<number> {
    return (await this.#generations.get("current")).value ?? 0;
  }
}

// --- Internal helpers ---

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
