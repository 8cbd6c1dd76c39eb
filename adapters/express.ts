/** A store for express-session in any unstorage driver: the public entry `storefront-core/express`. */

import { assertOptions } from "../shared/similar.ts";
import { isDeepStrictEqual } from "node:util";
import { createSafeLog, describeError, type Logger } from "../shared/log.ts";
import {
  absent,
  openDocumentStore,
  openDriver,
  toKeySegment,
  type Updater,
  type Snapshot,
  type StorageConfig,
} from "../storage/index.ts";
import { toMilliseconds } from "./seconds.ts";

/** Options of {@link createExpressStore}. */
export interface ExpressStoreOptions {
  /** A driver by its unstorage name with its options, or a driver object. */
  readonly storage: StorageConfig;
  /** Lifetime of a session whose cookie has no expiry, in seconds. Default: 86400. */
  readonly ttl?: number;
  /** Seconds in which the ID of a destroyed session can't be stored again. Default: 300. */
  readonly destroyedTtl?: number;
  /** The log for errors of calls without a callback. Default: `console`. */
  readonly log?: Logger;
}

/**
 * Creates a store for express-session. It keeps changes of parallel requests to different fields of one session. A
 * request can't restore a session that was destroyed in the meantime. Errors go to the callbacks.
 * @param Store `session.Store`, the base class of express-session's stores
 * @throws TypeError if the driver or an option is unknown, or a duration isn't a positive number
 */
export function createExpressStore<Base>(
  Store: abstract new () => Base,
  options: ExpressStoreOptions,
): Base & { close(): Promise<void> } {
  assertOptions("createExpressStore", options, {
    storage: true,
    ttl: true,
    destroyedTtl: true,
    log: true,
  });
  const { storage, ttl = 86_400, destroyedTtl = 300, log = console } = options;
  const lifetime = toMilliseconds("ttl", ttl);
  const destroyedFor = toMilliseconds("destroyedTtl", destroyedTtl);
  const safeLog = createSafeLog(log);
  const store = openDocumentStore(openDriver(storage), { log: safeLog });
  const entries = store.collection("express-session", isEntry);
  /** Sessions that this store has read or written: they can change a stored session, but not create it. */
  const known = new WeakMap<
    object,
    {
      readonly id: string;
      /** The fields at the last read or write. The request has changed all fields that differ. */
      readonly fields: Session;
      readonly snapshot: Snapshot<Entry>;
    }
  >();

  class ExpressStore extends (Store as unknown as new () => {
    createSession(request: object, data: Session): object;
  }) {
    get(id: string, callback?: Callback<Session>): void {
      settle(async function read() {
        const snapshot = await entries.get(toKeySegment(id));
        if (snapshot.value === undefined || snapshot.value === destroyed) return undefined;
        const session = structuredClone(snapshot.value);
        known.set(session, { id, fields: snapshot.value, snapshot });
        return session;
      }, callback);
    }

    set(id: string, session: Session, callback?: Callback): void {
      settle(async function write() {
        const fields = JSON.parse(JSON.stringify(session)) as Session;
        const before = findKnown(id, session);
        const updater: Updater<Entry> = (current) => {
          if (current === destroyed || (before && current === undefined)) return "keep";
          const set = before && current ? merge(current, before.fields, fields) : fields;
          return { set, expiresAt: endOf(session, lifetime) };
        };
        const snapshot = await entries.update(
          toKeySegment(id),
          updater,
          before?.snapshot ?? absent,
        );
        known.set(session, { id, fields, snapshot });
      }, callback);
    }

    /** Extends the session without changing its data. */
    touch(id: string, session: Session, callback?: Callback): void {
      settle(async function extend() {
        const { cookie } = session;
        const updater: Updater<Entry> = (current) => {
          if (current === destroyed || current === undefined) return "keep";
          return { set: { ...current, cookie }, expiresAt: endOf(session, lifetime) };
        };
        await entries.update(toKeySegment(id), updater, findKnown(id, session)?.snapshot);
      }, callback);
    }

    destroy(id: string, callback?: Callback): void {
      settle(async function destroy() {
        const expiresAt = Date.now() + destroyedFor;
        await entries.update(toKeySegment(id), () => ({ set: destroyed, expiresAt }));
      }, callback);
    }

    /** express-session creates the session of a request from the result of `get`. */
    override createSession(request: object, data: Session): object {
      const session = super.createSession(request, data);
      const read = known.get(data);
      if (read !== undefined) known.set(session, read);
      return session;
    }

    async close(): Promise<void> {
      await store.close();
    }
  }

  return new ExpressStore() as unknown as Base & { close(): Promise<void> };

  function findKnown(id: string, session: Session) {
    const found = known.get(session);
    return found?.id === id ? found : undefined;
  }

  /** Calls back later, so an error that the callback throws doesn't count as a storage error. */
  function settle<T>(run: () => Promise<T | undefined>, callback: Callback<T> = report): void {
    run().then(
      (value) => setImmediate(callback, null, value),
      (error: unknown) => setImmediate(callback, error),
    );
  }

  function report(error: unknown): void {
    if (error) safeLog.error("A session was not changed", { reason: describeError(error) });
  }
}

// --- Internal helpers ---

type Callback<T = void> = (error: unknown, value?: T) => void;

interface Session {
  /** Durations are milliseconds, as in express-session. */
  readonly cookie?: { readonly expires?: Date | string | null; readonly maxAge?: number | null };
  readonly [field: string]: unknown;
}

type Entry = Session | typeof destroyed;

/** The tombstone of a destroyed session, for a request that still has it and stores it at its end. */
const destroyed = "destroyed";

function isEntry(value: unknown): value is Entry {
  return value === destroyed || (typeof value === "object" && value !== null);
}

/** The stored session with the fields that changed from `before` to `after`. */
function merge(stored: Session, before: Session, after: Session): Session {
  const isSame = ([name]: [string, unknown]) => isDeepStrictEqual(before[name], after[name]);
  const changed = Object.entries(after).filter((field) => !isSame(field));
  return Object.fromEntries([...Object.entries(stored).filter(isSame), ...changed]);
}

function endOf({ cookie }: Session, lifetime: number): number {
  if (cookie?.expires) return new Date(cookie.expires).getTime();
  return Date.now() + (cookie?.maxAge ?? lifetime);
}
