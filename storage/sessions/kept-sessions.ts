import type { Snapshot } from "../documents/documents.ts";
import type {
  CachedSession,
  CachedSessionUser,
  SessionCacheStrategy,
} from "./session-cache-strategy.ts";
import { isSessionRecord, type SessionRecord, type ShopUser } from "./session-record.ts";

/** The sessions of one shop in a strategy, which may be slow, fail, or give back anything. */
export class KeptSessions {
  readonly #shopId: number;
  readonly #ttl: number;
  readonly #strategy: SessionCacheStrategy;

  /** @param ttl seconds that the strategy is told to keep an entry */
  constructor(shopId: number, ttl: number, strategy: SessionCacheStrategy) {
    this.#shopId = shopId;
    this.#ttl = ttl;
    this.#strategy = strategy;
  }

  /** The session of this key, if it is kept at this version. */
  async find(key: string, version: string): Promise<Snapshot<SessionRecord> | undefined> {
    const entry = await inTime(() => this.#strategy.get(key));
    if (entry?.version !== version || !isSessionRecord(entry.record)) return undefined;
    // A strategy that keeps JSON gives a text back.
    const expiresAt = new Date(entry.expires).getTime();
    return expiresAt > Date.now() ? { value: entry.record, version, expiresAt } : undefined;
  }

  keep(
    key: string,
    {
      record,
      version,
      expiresAt,
    }: {
      readonly record: SessionRecord;
      readonly version: string;
      /** Epoch milliseconds. */
      readonly expiresAt: number;
    },
  ): void {
    const { id, user, belongings } = record;
    const session: CachedSession = {
      cacheExpiry: Date.now() / 1000 + this.#ttl,
      id,
      token: key,
      expires: new Date(expiresAt),
      activeChannelId: this.#shopId,
      activeOrderId: belongings?.basket,
      authenticationStrategy: user && "native",
      user: user && toCachedUser(user),
      record,
      version,
    };
    void inTime(() => this.#strategy.set(session));
  }

  forget(key: string): void {
    void inTime(() => this.#strategy.delete(key));
  }

  forgetAll(): void {
    void inTime(() => this.#strategy.clear());
  }
}

// --- Internal helpers ---

function toCachedUser({ id, email = String(id) }: ShopUser): CachedSessionUser {
  return { id, identifier: email, verified: true, channelPermissions: [] };
}

/** Milliseconds that a strategy may take; the storage itself is hardly slower. */
const patience = 50;

/** What a strategy answers; nothing where it fails or takes too long. */
async function inTime<T>(ask: () => T | Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = ask();
    if (!(answer instanceof Promise)) return answer;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patience);
    });
    return await Promise.race([answer, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
