import { randomUUID } from "uncrypto";
import { absent, type Documents, type DocumentStore, type Snapshot } from "./documents.ts";
import type { SessionCache } from "./session-cache.ts";
import {
  createSessionId,
  isSessionRecord,
  sessionKey,
  type Belonging,
  type SessionRecord,
  type ShopUser,
} from "./session-record.ts";
import {
  ending,
  SessionEndedError,
  type PendingMerge,
  type UserIndex,
  type UserSession,
  type UserSessions,
} from "./user-sessions.ts";

/** A session as it was read. */
export interface Session {
  readonly record: SessionRecord;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly snapshot: Snapshot<SessionRecord>;
}

/** How long sessions live, in seconds. */
export interface SessionLifetime {
  readonly idleTimeout: number;
  readonly absoluteTimeout: number | undefined;
}

/** Who logs in, and how. */
export interface Login {
  readonly user: ShopUser;
  /** The session ends where all of the user's were ended after this moment (epoch milliseconds). */
  readonly startedAt: number;
  readonly userAgent?: string | undefined;
  readonly transient?: boolean | undefined;
}

/** A change of a record; a pure function, for it may run more than once. */
export type RecordChange = (record: SessionRecord) => SessionRecord;

/** The sessions of one shop. All methods throw StorageUnavailableError. */
export class Sessions {
  readonly shopId: number;
  readonly users: UserSessions;
  readonly #records: Documents<SessionRecord>;
  readonly #lifetime: SessionLifetime;
  readonly #cache: SessionCache | undefined;

  constructor(
    shopId: number,
    store: DocumentStore,
    users: UserSessions,
    lifetime: SessionLifetime,
    cache?: SessionCache,
  ) {
    this.shopId = shopId;
    this.users = users;
    this.#records = store.collection(`session:${shopId}`, isSessionRecord);
    this.#lifetime = lifetime;
    this.#cache = cache;
  }

  /** The living session of this id, if there is one. */
  async load(id: string): Promise<Session | undefined> {
    const key = sessionKey(id);
    if (key === undefined) return undefined;
    const read = (missed: string) => this.#records.get(missed);
    const session = toSession(await (this.#cache?.read(key, read) ?? read(key)));
    return session?.record.id === id ? session : undefined;
  }

  /** Stores a guest's new session. */
  async createGuest(ownerKey: string, change: RecordChange): Promise<Session> {
    const now = Date.now();
    return this.#create(
      {
        id: createSessionId(undefined),
        createdAt: now,
        lastSeenAt: now,
        handle: randomUUID(),
        ownerKey,
        customData: {},
      },
      change,
    );
  }

  /**
   * Changes a session, and extends its life where that is due.
   * @throws SessionEndedError where it ended or moved meanwhile: it is never brought back
   */
  async update(session: Session, change: RecordChange): Promise<Session> {
    const now = Date.now();
    const extend = this.isExtensionDue(session);
    const expiresAt = extend ? this.#expiresAt(session.record.createdAt, now) : session.expiresAt;
    const { user, handle } = session.record;
    if (extend && user !== undefined) {
      await this.#extendInIndex(user, handle, now, expiresAt);
    }
    const snapshot = await this.#records.update(
      keyOf(session.record),
      (current, { expiresAt: currentEnd = 0 }) => {
        if (current === undefined) throw new SessionEndedError("The session ended meanwhile");
        const changed = change(current);
        const seen = extend ? { ...changed, lastSeenAt: now } : changed;
        return { set: seen, expiresAt: Math.max(expiresAt, currentEnd) };
      },
      session.snapshot,
    );
    return toSession(snapshot) as Session;
  }

  /** Whether a tenth of the lifetime has passed since it was last extended. */
  isExtensionDue(session: Session): boolean {
    const { lastSeenAt, createdAt } = session.record;
    const due = Date.now() - lastSeenAt >= (this.#lifetime.idleTimeout * 1000) / 10;
    return due && this.#expiresAt(createdAt, Date.now()) > session.expiresAt;
  }

  /** When a session that is used now will end, in epoch milliseconds. */
  extendedEnd(session: Session): number {
    return this.#expiresAt(session.record.createdAt, Date.now());
  }

  /**
   * Replaces a session (or none) by a new one that is bound to a user.
   *
   * The new record is stored first and the old one dies last, compared against the state that was
   * copied: a crash at any point leaves the old session alive or the merge noted in the user's index.
   * The new record says that merges are owed, until they are done.
   * @returns the new session, and what the guest left to be merged
   * @throws SessionEndedError where the user's sessions were all ended since the login began
   */
  async bind(
    old: Session | undefined,
    login: Login,
  ): Promise<{ session: Session; pendingMerges: readonly PendingMerge[] }> {
    const now = Date.now();
    const created = await this.#create({
      id: createSessionId(login.user),
      createdAt: now,
      lastSeenAt: now,
      handle: randomUUID(),
      ownerKey: randomUUID(),
      user: login.user,
      customData: old && mayInherit(old, login.user) ? old.record.customData : {},
      transient: login.transient,
      ...(old !== undefined &&
        toPendingMerges(old, this.shopId).length > 0 && { mergePending: true }),
    });
    const noted = await this.#enterIndex(created, login, old);
    const bound =
      old === undefined
        ? { session: created, pendingMerges: noted }
        : await this.#retire(old, created, login.user, noted);
    const { session, pendingMerges } = bound;
    if (pendingMerges.length === 0 || session.record.mergePending) return bound;
    // What an earlier login of this user still owes. The login stands without this note.
    const owing = await this.update(session, owingMerges).catch(() => session);
    return { session: owing, pendingMerges };
  }

  /**
   * Gives a user's session a new id, which is due at every change of privilege.
   * @throws SessionEndedError where it ended meanwhile
   */
  async rotate(old: Session): Promise<Session> {
    const { user, handle } = old.record;
    if (user === undefined) throw new TypeError("Only a user's session is given a new id");
    const created = await this.#create({ ...old.record, id: createSessionId(user) });
    await this.#orRemove(created, () =>
      this.users.update(user.id, (index) => {
        const entry = entryOf(index, handle);
        if (entry.id !== old.record.id) throw new SessionEndedError("The session moved meanwhile");
        const moved = { ...entry, ...this.#indexEntry(created) };
        const { sessions, ...rest } = ending(index, [entry]);
        return { ...rest, sessions: { ...sessions, [handle]: moved } };
      }),
    );
    const last = await this.#records.take(keyOf(old.record));
    if (last === undefined) {
      await this.end(created);
      throw new SessionEndedError("The session ended meanwhile");
    }
    await this.users.forgetEnded(user.id, [old.record.id]);
    // What a parallel call wrote between the copy and the take moves along.
    return this.update(created, ({ id }) => ({ ...last, id }));
  }

  /** Ends a session; ending it twice is no error. @returns its record as it was at its end */
  async end(session: Session): Promise<SessionRecord> {
    const { user, handle } = session.record;
    const last = await this.#records.take(keyOf(session.record));
    if (user === undefined) return last ?? session.record;
    // One that is not there any more may have moved to a new id: then it ends there.
    if (last === undefined) await this.users.endOne(user.id, handle);
    else await this.users.remove(user.id, handle);
    return last ?? session.record;
  }

  async #create(record: SessionRecord, change: RecordChange = (same) => same): Promise<Session> {
    const expiresAt = this.#expiresAt(record.createdAt, Date.now());
    const set = change(record);
    return toSession(
      await this.#records.update(keyOf(set), () => ({ set, expiresAt }), absent),
    ) as Session;
  }

  /** Enters a new session into its user's index, with what the guest before it left. */
  async #enterIndex(
    created: Session,
    login: Login,
    old: Session | undefined,
  ): Promise<readonly PendingMerge[]> {
    const entry = { ...this.#indexEntry(created), userAgent: login.userAgent };
    const { value } = await this.#orRemove(created, () =>
      this.users.update(login.user.id, (index) => {
        if (index.endedAt > login.startedAt) {
          throw new SessionEndedError("The user's sessions were ended during the login");
        }
        return {
          ...index,
          sessions: { ...index.sessions, [created.record.handle]: entry },
          pendingMerges: withPendingMerges(index.pendingMerges, old, this.shopId),
        };
      }),
    );
    return value?.pendingMerges ?? [];
  }

  /** Ends the session before, once the new one has all that it holds. */
  async #retire(
    old: Session,
    created: Session,
    user: ShopUser,
    noted: readonly PendingMerge[],
  ): Promise<{ session: Session; pendingMerges: readonly PendingMerge[] }> {
    let copied = old;
    let session = created;
    let pendingMerges = noted;
    for (;;) {
      const { version } = copied.snapshot;
      const snapshot = await this.#records.update(
        keyOf(old.record),
        (_, current) => (current.version === version ? "remove" : "keep"),
        copied.snapshot,
      );
      const changed = toSession(snapshot);
      if (changed === undefined) break;
      // A parallel call wrote between the copy and the removal: take its change along, try again.
      copied = changed;
      const { customData } = changed.record;
      if (mayInherit(changed, user)) {
        session = await this.update(session, (record) => ({ ...record, customData }));
      }
      const index = await this.users.update(user.id, (current) => ({
        ...current,
        pendingMerges: withPendingMerges(current.pendingMerges, changed, this.shopId),
      }));
      pendingMerges = index.value?.pendingMerges ?? [];
    }
    if (old.record.user !== undefined) {
      await this.users.remove(old.record.user.id, old.record.handle);
    }
    return { session, pendingMerges };
  }

  /** Runs a step that a new session depends on; without it the session does not stay. */
  async #orRemove<T>(created: Session, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      await this.#records.take(keyOf(created.record)).catch(() => undefined);
      throw error;
    }
  }

  async #extendInIndex(
    user: ShopUser,
    handle: string,
    lastSeenAt: number,
    expiresAt: number,
  ): Promise<void> {
    await this.users.update(user.id, (index) => {
      const extended = { ...entryOf(index, handle), lastSeenAt, expiresAt };
      return { ...index, sessions: { ...index.sessions, [handle]: extended } };
    });
  }

  #indexEntry({ record, expiresAt }: Session) {
    const { id, createdAt, lastSeenAt } = record;
    return { id, shopId: this.shopId, createdAt, lastSeenAt, expiresAt };
  }

  #expiresAt(createdAt: number, now: number): number {
    const { idleTimeout, absoluteTimeout = Infinity } = this.#lifetime;
    return Math.min(now + idleTimeout * 1000, createdAt + absoluteTimeout * 1000);
  }
}

// --- Internal helpers ---

function toSession(snapshot: Snapshot<SessionRecord>): Session | undefined {
  const { value: record, expiresAt = Infinity } = snapshot;
  return record && { record, expiresAt, snapshot };
}

function keyOf(record: SessionRecord): string {
  return sessionKey(record.id) as string;
}

/** Whether a session's data may go on under this user: never from one user to another. */
function mayInherit(old: Session, user: ShopUser): boolean {
  return old.record.user === undefined || String(old.record.user.id) === String(user.id);
}

function entryOf(index: UserIndex, handle: string): UserSession {
  const entry = Object.hasOwn(index.sessions, handle) ? index.sessions[handle] : undefined;
  if (entry === undefined) throw new SessionEndedError("The session ended meanwhile");
  return entry;
}

function withPendingMerges(
  noted: readonly PendingMerge[],
  old: Session | undefined,
  shopId: number,
): readonly PendingMerge[] {
  const left = old === undefined ? [] : toPendingMerges(old, shopId);
  const known = noted.filter(({ belonging, key }) =>
    left.every((merge) => merge.belonging !== belonging || merge.key !== key),
  );
  return [...known, ...left];
}

/** What a guest leaves; a user's basket is in its place already. */
function toPendingMerges({ record, expiresAt }: Session, shopId: number): PendingMerge[] {
  if (record.user !== undefined) return [];
  return Object.entries(record.belongings ?? {}).map(([belonging, key]) => {
    return { shopId, belonging: belonging as Belonging, key, expiresAt };
  });
}

function owingMerges(record: SessionRecord): SessionRecord {
  return { ...record, mergePending: true };
}
