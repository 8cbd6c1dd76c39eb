import type { DocumentStore } from "./documents.ts";
import type { SessionGenerations } from "./generations.ts";
import type { RevocationMark } from "./revocations.ts";
import type { SessionCache } from "./session-cache.ts";
import { endOfSession, isFresh, isRenewalDue, type SessionLifetime } from "./session-lifetime.ts";
import {
  createName,
  createSessionId,
  type Belonging,
  type SessionRecord,
  type SessionTransportName,
  type ShopUser,
} from "./session-record.ts";
import { SessionRecords, type RecordChange, type Session } from "./session-records.ts";
import type { PendingMerge, UserSession } from "./user-index.ts";
import { SessionEndedError, type SessionLimit, type UserSessions } from "./user-sessions.ts";

/** The settings of a shop's sessions; durations are seconds. */
export interface SessionSettings extends SessionLifetime, SessionLimit {}

/** Who logs in, and how. */
export interface Login {
  readonly user: ShopUser;
  /** The last end of all sessions when the login began, if it read that: a later one of this user refuses it. */
  readonly since?: RevocationMark | undefined;
  readonly userAgent?: string | undefined;
  readonly transport?: SessionTransportName | undefined;
  readonly transient?: boolean | undefined;
}

/** An id was used that another had replaced before: one of the two who use them is a thief. */
export class SessionReusedError extends Error {
  override readonly name = "SessionReusedError";
  readonly userId: string | number;
  /** The session's, which has been ended. */
  readonly handle: string;

  constructor(userId: string | number, handle: string) {
    super("A session id was used again after it was replaced");
    this.userId = userId;
    this.handle = handle;
  }
}

/** The sessions of one shop. All methods throw StorageUnavailableError. */
export class Sessions {
  readonly shopId: number;
  readonly users: UserSessions;
  readonly #records: SessionRecords;
  readonly #settings: SessionSettings;

  constructor(
    shopId: number,
    store: DocumentStore,
    users: UserSessions,
    generations: SessionGenerations,
    settings: SessionSettings,
    cache?: SessionCache,
  ) {
    this.shopId = shopId;
    this.users = users;
    this.#records = new SessionRecords(shopId, store, generations, settings, cache);
    this.#settings = settings;
  }

  /** The living session of this id, if that is known without asking the storage. */
  peek(id: string): Session | undefined {
    const session = this.#records.peek(id);
    return session?.record.replacedBy === undefined ? session : undefined;
  }

  /**
   * The living session of this id, if there is one; a moment after its renewal, under its new id.
   * @throws SessionReusedError, once the session is ended, where the id was replaced longer ago
   */
  async load(id: string): Promise<Session | undefined> {
    const session = await this.#records.read(id);
    const replacedBy = session?.record.replacedBy;
    if (session === undefined || replacedBy === undefined) return session;
    if (Date.now() - replacedBy.at <= graceMilliseconds) return this.#records.read(replacedBy.id);
    const { handle, user } = session.record;
    const ended = user && (await this.users.endOne(user.id, handle));
    if (user === undefined || ended === undefined) return undefined;
    throw new SessionReusedError(user.id, handle);
  }

  /** Stores a guest's new session. */
  async createGuest(ownerKey: string, change: RecordChange): Promise<Session> {
    const now = Date.now();
    const guest: SessionRecord = {
      id: createSessionId(undefined),
      createdAt: now,
      ...(await this.#records.currentGeneration()),
      handle: ownerKey,
      ownerKey,
      customData: {},
    };
    return this.#records.create(change(guest));
  }

  /**
   * Changes a session, and extends its life where that is due. A session that was given a new id
   * meanwhile is changed there.
   * @throws SessionEndedError where it ended or moved meanwhile: it is never brought back
   */
  async update(session: Session, change: RecordChange): Promise<Session> {
    const { user, handle } = session.record;
    const extension = this.#records.extensionOf(session);
    if (extension !== undefined && user !== undefined) {
      await this.users.change(user.id, handle, (entry) => ({ ...entry, ...extension }));
    }
    let changed = await this.#records.change(session, change);
    while (changed.record.replacedBy !== undefined) {
      const successor = await this.#records.read(changed.record.replacedBy.id);
      if (successor === undefined) throw new SessionEndedError("The session ended meanwhile");
      changed = await this.#records.change(successor, change);
    }
    return changed;
  }

  /** Whether `update` would extend the session's life now. */
  isExtensionDue(session: Session): boolean {
    return this.#records.extensionOf(session) !== undefined;
  }

  /** When a session that is used now will end, in epoch milliseconds. */
  extendedEnd({ record }: Session): number {
    return endOfSession(record, this.#settings);
  }

  /** Whether the session's id is old enough for `renew`. */
  isRenewalDue({ record }: Session): boolean {
    return isRenewalDue(record, this.#settings);
  }

  /** Whether the session's user has proved a short while ago who they are. */
  isFresh({ record }: Session): boolean {
    return isFresh(record, this.#settings);
  }

  /**
   * Replaces a session (or none) by a new one that is bound to a user.
   *
   * The new record is stored first and the old one dies last, compared against the state that was
   * copied: a crash at any point leaves the old session alive or the merge noted in the user's index.
   * The new record says that merges are owed, until they are done.
   * @returns the new session, and what the guest left to be merged
   * @throws SessionEndedError where the user's sessions were all ended since the login began;
   * SessionLimitError where the user may have no more
   */
  async bind(
    old: Session | undefined,
    login: Login,
  ): Promise<{ session: Session; pendingMerges: readonly PendingMerge[] }> {
    const since = login.since ?? (await this.users.lastRevocation());
    const now = Date.now();
    const handle = createName();
    const left = old === undefined ? [] : toPendingMerges(old, this.shopId);
    const created = await this.#records.create({
      id: createSessionId(login.user),
      createdAt: now,
      ...(await this.#records.currentGeneration()),
      handle,
      ownerKey: handle,
      user: login.user,
      customData: old && mayInherit(old, login.user) ? old.record.customData : {},
      transient: login.transient,
      ...(left.length > 0 && { mergePending: true }),
    });
    const { userAgent, transport } = login;
    const entry = { ...this.#indexEntry(created), userAgent, transport };
    const noted = await this.#orRemove(created, () =>
      this.users.enter(login.user.id, entry, {
        handle,
        replaces: old?.record.handle,
        since,
        limit: this.#settings,
        pendingMerges: left,
      }),
    );
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
   * Gives a user's session a new id, which is due at every change of privilege. The old id is dead at once.
   * @param proved the user has just proved again who they are, so that their login is fresh
   * @throws SessionEndedError where it ended or moved meanwhile
   */
  async rotate(old: Session, { proved }: { readonly proved: boolean }): Promise<Session> {
    const { user, handle } = assertUserSession(old);
    const now = Date.now();
    const marks = { idIssuedAt: now, ...(proved && { authenticatedAt: now }) };
    const created = await this.#records.create({
      ...old.record,
      id: createSessionId(user),
      ...marks,
    });
    const entry = this.#indexEntry(created);
    await this.#orRemove(created, () => this.users.move(user.id, handle, old.record.id, entry));
    const last = await this.#records.take(old.record);
    if (last === undefined) {
      await this.end(created);
      throw new SessionEndedError("The session ended meanwhile");
    }
    await this.users.forgetEnded(user.id, [old.record.id]);
    // What a parallel call wrote between the copy and the take moves along.
    return this.update(created, ({ id }) => ({ ...last, id, ...marks }));
  }

  /**
   * Gives a user's session a new id because the old one has been around for long. The old one leads to it
   * for half a minute, for calls in flight; used after that, it ends the session. Where this breaks off,
   * the session goes on under its old id.
   * @throws SessionEndedError where it ended or moved meanwhile
   */
  async renew(old: Session): Promise<Session> {
    const { user, handle } = assertUserSession(old);
    const now = Date.now();
    let session = await this.#records.create({
      ...old.record,
      id: createSessionId(user),
      idIssuedAt: now,
      lastSeenAt: now,
    });
    const { id } = session.record;
    const entry = { ...this.#indexEntry(session), replaces: old.record.id };
    await this.#orRemove(session, () => this.users.renew(user.id, handle, entry));
    let copied = old;
    for (;;) {
      const replaced = toReplaced(copied.record, { id, at: now });
      const found = await this.#records.supersede(copied, replaced);
      if (found?.record.replacedBy?.id === id) return session;
      if (found === undefined || found.record.replacedBy !== undefined) {
        await this.end(session);
        throw new SessionEndedError("The session ended meanwhile");
      }
      // A parallel call wrote between the copy and now: take its change along, try again.
      copied = found;
      const { lastSeenAt } = session.record;
      session = await this.#records.change(session, () => {
        return { ...found.record, id, idIssuedAt: now, lastSeenAt };
      });
    }
  }

  /** Ends a session; ending it twice is no error. @returns its record as it was at its end */
  async end(session: Session): Promise<SessionRecord> {
    const { user, handle } = session.record;
    const last = await this.#records.take(session.record);
    if (user === undefined) return last ?? session.record;
    // One that is not there any more may have moved to a new id: then it ends there.
    const hasMoved = last === undefined || last.replacedBy !== undefined;
    if (hasMoved) await this.users.endOne(user.id, handle);
    else await this.users.remove(user.id, handle);
    return hasMoved ? session.record : last;
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
      const found = await this.#records.supersede(copied, "remove");
      const replacedBy = found?.record.replacedBy;
      const changed = replacedBy === undefined ? found : await this.#records.read(replacedBy.id);
      if (changed === undefined) break;
      // A parallel call wrote between the copy and the removal: take its change along, try again.
      copied = changed;
      const { customData } = changed.record;
      if (mayInherit(changed, user)) {
        session = await this.update(session, (record) => ({ ...record, customData }));
      }
      pendingMerges = await this.users.owe(user.id, toPendingMerges(changed, this.shopId));
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
      await this.#records.take(created.record).catch(() => undefined);
      throw error;
    }
  }

  #indexEntry({ record, expiresAt }: Session): UserSession {
    const { id, createdAt, generation, epoch, lastSeenAt = createdAt } = record;
    return { id, shopId: this.shopId, createdAt, generation, epoch, lastSeenAt, expiresAt };
  }
}

// --- Internal helpers ---

/** How long a replaced id still leads to its successor: as long as calls that were sent with it may take. */
const graceMilliseconds = 30_000;

/** Whether a session's data may go on under this user: never from one user to another. */
function mayInherit(old: Session, user: ShopUser): boolean {
  return old.record.user === undefined || String(old.record.user.id) === String(user.id);
}

function assertUserSession({ record: { user, handle } }: Session) {
  if (user === undefined) throw new TypeError("Only a user's session is given a new id");
  return { user, handle };
}

/** What stays under an id that was replaced: where it leads, and which session it was. */
function toReplaced(
  { id, createdAt, generation, epoch, lastSeenAt, handle, user }: SessionRecord,
  replacedBy: SessionRecord["replacedBy"],
): SessionRecord {
  const owner = user && { user: { id: user.id } };
  return {
    id,
    createdAt,
    generation,
    epoch,
    lastSeenAt,
    handle,
    ownerKey: "",
    ...owner,
    customData: {},
    replacedBy,
  };
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
