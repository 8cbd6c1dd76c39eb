/** Vendure's session cache in any unstorage driver: the public entry `storefront-core/vendure`. */

import { assertOptions } from "../shared/similar.ts";
import { createHash } from "node:crypto";
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
  /** Epoch seconds; after that, Vendure reads its database again. */
  cacheExpiry: number;
  id: string | number;
  /** A credential: Vendure doesn't sign it, so anyone who knows it is logged in. */
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
  /** Lifetime of an entry in seconds; it never outlives its session. Default: 86400. */
  readonly ttl?: number;
  /** The log for storage errors. Default: `console`. */
  readonly log?: Logger;
}

/**
 * Creates a `SessionCacheStrategy` for Vendure's `authOptions`; `S` is Vendure's type of a session. The key of an entry
 * is the SHA-256 of its token. The first call opens the storage, so a script that only reads the config ends by itself.
 * @throws TypeError if the driver or an option is unknown, or `ttl` isn't a positive number
 */
export function createVendureSessionCache<S extends CachedSession = CachedSession>(
  options: VendureSessionCacheOptions,
) {
  assertOptions("createVendureSessionCache", options, { storage: true, ttl: true, log: true });
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
    /** Never rejects: without an entry, Vendure reads its database. */
    async set({ token, ...session }: S): Promise<void> {
      const expiresAt = Math.min(session.expires.getTime(), Date.now() + longest);
      try {
        const { value: generation = "" } = await generations().update("current", (current) =>
          current === undefined ? { set: open().random.uuid() } : "keep",
        );
        const set = { epoch: generation, session };
        const updater = (current?: Entry) => (current === deleted ? "keep" : { set, expiresAt });
        await entries().update(toKey(token), updater, absent);
      } catch (error) {
        log.warn("A session was not cached", { reason: describeError(error) });
      }
    },

    /** Never rejects: an unreadable entry counts as absent. */
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
     * Deletes an entry: a `set` in progress can't restore it.
     * @throws StorageUnavailableError; the cache retries every second until the storage accepts it
     */
    delete(token: string): Promise<void> {
      return insist(() => entries().update(toKey(token), toDeleted));
    },

    /** Deletes all entries for every process. @throws StorageUnavailableError; retries as `delete` does */
    clear(): Promise<void> {
      return insist(() => generations().update("current", () => ({ set: open().random.uuid() })));
    },

    /** Closes the storage when Vendure stops. The next call opens it again. */
    async destroy(): Promise<void> {
      const closing = store?.close();
      [driver, store] = [openDriver(storage), undefined];
      await closing;
    },
  };

  /** Vendure doesn't retry: without this, a deleted session would stay active after an error. */
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

/** The tombstone of a deleted session, for a call that has just read the session from the database. */
const deleted = "deleted";
/** Milliseconds; longer than Vendure needs from its database to the cache. */
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
