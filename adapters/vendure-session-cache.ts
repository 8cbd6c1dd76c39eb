/** Vendure's session cache in any unstorage driver: the public entry `storefront-core/vendure`. */

import { createHash } from "node:crypto";
import { randomUUID } from "uncrypto";
import { createSafeLog, describeError, type Logger } from "../shared/log.ts";
import {
  absent,
  openDocumentStore,
  openDriver,
  type DocumentStore,
  type Updater,
  type StorageConfig,
} from "../storage/index.ts";
import { toMilliseconds } from "./seconds.ts";

/** A session as Vendure caches it. */
export interface CachedSession {
  /** Epoch seconds; from then on Vendure asks its database again. */
  cacheExpiry: number;
  id: string | number;
  /** A credential: whoever knows it is logged in, for Vendure does not sign it. */
  token: string;
  expires: Date;
  activeOrderId?: string | number;
  authenticationStrategy?: string;
  user?: {
    id: string | number;
    identifier: string;
    verified: boolean;
    channelPermissions: { id: string | number; token: string; permissions: string[] }[];
  };
  activeChannelId?: string | number;
}

/** Options of {@link createVendureSessionCache}. */
export interface VendureSessionCacheOptions {
  /** A driver by its unstorage name with its options, or a driver object. */
  readonly storage: StorageConfig;
  /** Seconds that an entry lives at most; it never outlives its session. Default: 86400. */
  readonly ttl?: number;
  /** Where it is said that the storage failed. Default: `console`. */
  readonly log?: Logger;
}

/**
 * Makes a `SessionCacheStrategy` for Vendure's `authOptions`; `S` is Vendure's own type of a session.
 *
 * Entries lie under the SHA-256 of their token, and without it. The storage is opened by the first
 * call, so that a script that only reads the config ends by itself.
 * @throws TypeError for a driver that is unknown, or a `ttl` that is no positive number
 */
export function createVendureSessionCache<S extends CachedSession = CachedSession>(
  options: VendureSessionCacheOptions,
) {
  const { storage, ttl = 86_400 } = options;
  const log = createSafeLog(options.log ?? console);
  const longest = toMilliseconds("ttl", ttl);
  let driver = openDriver(storage);
  let store: DocumentStore | undefined;
  const open = () => (store ??= openDocumentStore(driver, { log }));
  const entries = () => open().collection("vendure-session", isEntry);
  /** The generation of all entries, which `clear` changes: an entry of another generation counts as absent. */
  const generations = () => open().collection("vendure-session-epoch", isGeneration);
  return {
    /** Never rejects: what is not cached, Vendure reads from its database. */
    async set({ token, ...session }: S): Promise<void> {
      const expiresAt = Math.min(session.expires.getTime(), Date.now() + longest);
      try {
        const { value: generation = "" } = await generations().update("current", (current) =>
          current === undefined ? { set: randomUUID() } : "keep",
        );
        const set = { epoch: generation, session };
        const updater = (current?: Entry) => (current === deleted ? "keep" : { set, expiresAt });
        await entries().update(toKey(token), updater, absent);
      } catch (error) {
        log.warn("A session was not cached", { reason: describeError(error) });
      }
    },

    /** Never rejects: what cannot be read is not cached. */
    async get(token: string): Promise<S | undefined> {
      try {
        const reads = [entries().get(toKey(token)), generations().get("current")] as const;
        const [{ value: entry }, { value: generation }] = await Promise.all(reads);
        if (entry === undefined || entry === deleted || entry.epoch !== generation)
          return undefined;
        return { ...entry.session, token, expires: new Date(entry.session.expires) } as S;
      } catch (error) {
        log.warn("A cached session was not read", { reason: describeError(error) });
        return undefined;
      }
    },

    /**
     * Ends an entry for good: a `set` that was under way does not bring it back.
     * @throws StorageUnavailableError; it is tried again each second until the storage has it
     */
    delete(token: string): Promise<void> {
      return insist(() => entries().update(toKey(token), toDeleted));
    },

    /** Ends all entries, for every process, at once. @throws StorageUnavailableError, as `delete` */
    clear(): Promise<void> {
      return insist(() => generations().update("current", () => ({ set: randomUUID() })));
    },

    /** Vendure's call at its end: closes the storage; the next call opens it again. */
    async destroy(): Promise<void> {
      const closing = store?.close();
      [driver, store] = [openDriver(storage), undefined];
      await closing;
    },
  };

  /** Vendure does not wait for a slow cache, nor repeat what failed: what was ended would live on. */
  async function insist(write: () => Promise<unknown>): Promise<void> {
    const tried = open();
    try {
      await write();
    } catch (error) {
      setTimeout(() => tried === store && insist(write).catch(() => {}), retryAfter).unref();
      throw error;
    }
  }
}

// --- Internal helpers ---

/** Without the session's token; its `Date` is a string after a read. `epoch` is the generation. */
type Entry = typeof deleted | { epoch: string; session: { expires: Date | string } };

/** Stands in a deleted session's place, for a call that read it from the database just before. */
const deleted = "deleted";
/** Milliseconds; longer than Vendure is on its way from its database to the cache. */
const deletedFor = 300_000;
const toDeleted: Updater<Entry> = () => ({ set: deleted, expiresAt: Date.now() + deletedFor });
/** Milliseconds. */
const retryAfter = 1000;

const isGeneration = (value: unknown): value is string => typeof value === "string";

function isEntry(value: unknown): value is Entry {
  if (value === deleted) return true;
  const { epoch, session } = (value ?? {}) as { epoch?: unknown; session?: { expires?: unknown } };
  return typeof epoch === "string" && typeof session?.expires === "string";
}

function toKey(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
