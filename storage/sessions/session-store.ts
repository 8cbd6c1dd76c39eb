import type { SessionEvent, SessionReason } from "../storage-observer.ts";
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import { bindSession, type Login } from "./session-logins.ts";
import { graceMilliseconds } from "./session-document.ts";
import { renewSession, rotateSession } from "./session-moves.ts";
import type { openSessionCache } from "./session-cache.ts";
import type { SessionRecord } from "./session-record.ts";
import { SessionRecords } from "./session-records.ts";
import {
  endOfSession,
  isMark,
  SessionEndedError,
  type Found,
  type RecordChange,
  type LoadedSession,
  type SessionSettings,
} from "./session.ts";
import type { UserSessionIndex } from "./user-sessions.ts";

/** A client used a session ID after its grace period, which can mean session theft. */
export interface SessionReuse {
  readonly userId: string | number;
  /** The handle of the session that was ended. */
  readonly handle: string;
}

/**
 * The state of a session ID. In the last 30 seconds, a login or a change of privilege replaced it (`retired`), or a
 * logout or a revocation ended its session (`ended`). `absent`: it never was valid, or was invalid for longer.
 */
export type SessionIdState =
  | {
      readonly state: "active";
      readonly session: LoadedSession;
      /** The ID was renewed: the session has another ID, which the client may not know yet. */
      readonly isRenewed: boolean;
    }
  | { readonly state: "retired" | "ended" | "absent" }
  | { readonly state: "reused"; readonly reuse: SessionReuse };

/** The sessions of one shop. All methods throw StorageUnavailableError. */
export class SessionStore {
  readonly shopId: number;
  readonly users: UserSessionIndex;
  readonly clock: Clock;
  readonly random: Random;
  /** The change that begins the grace period of the old ID, because the client has sent the new one. */
  readonly noteFirstUse: RecordChange = (record) =>
    record.firstUsedAt === 0 ? { ...record, firstUsedAt: this.clock.now() } : record;
  readonly #records: SessionRecords;

  constructor(
    shopId: number,
    users: UserSessionIndex,
    settings: SessionSettings,
    cache?: ReturnType<typeof openSessionCache>,
  ) {
    this.#records = new SessionRecords(shopId, users, settings, cache);
    this.shopId = shopId;
    this.users = users;
    this.clock = users.store.clock;
    this.random = users.store.random;
  }

  /** The active session of this ID, if this process knows it without a command to the storage. */
  peek(id: string): LoadedSession | undefined {
    const session = this.#records.cache?.peek(id);
    return session === undefined || this.#needsIndex(session) ? undefined : session;
  }

  /** Finds the state of a session ID. If a client used the ID after its grace period, ends the session first. */
  async lookUp(id: string): Promise<SessionIdState> {
    const known = this.peek(id);
    if (known !== undefined) return { state: "active", session: known, isRenewed: false };
    let found = await this.#records.read(id);
    let isRenewed = false;
    while (found !== undefined && isMark(found) && found.mark === "renewed") {
      const next = await this.#records.read(found.to);
      if (isReused(found.at, next, this.clock)) {
        const { userId, handle, to } = found;
        const ended = await this.#endMoved(userId, handle, to);
        if (ended === undefined) return { state: "absent" };
        this.#report("ended", "reused");
        return { state: "reused", reuse: { userId, handle } };
      }
      isRenewed = true;
      found = next;
    }
    if (found === undefined) return { state: "absent" };
    if (isMark(found)) return { state: found.mark === "retired" ? "retired" : "ended" };
    const { user } = found.record;
    if (user !== undefined) this.users.noteEnd(user.id, found.expiresAt);
    if (this.#needsIndex(found) && !(await this.users.names(found))) {
      // The user's index was lost, so no end of all sessions would find this one.
      await this.#ending(found.record, () => this.#records.end(found));
      this.#report("ended", "index_lost");
      return { state: "ended" };
    }
    return { state: "active", session: found, isRenewed };
  }

  /** Reads a session from the storage, past all caches. @throws SessionEndedError if it ended or moved */
  async reload({ record }: LoadedSession): Promise<LoadedSession> {
    const found = await this.#records.follow(await this.#records.readStored(record.id));
    if (found === undefined || isMark(found)) throw new SessionEndedError();
    return found;
  }

  /** Stores a guest's new session. */
  async createGuest(ownerKey: string, change: RecordChange): Promise<LoadedSession> {
    const session = await this.#records.begin(undefined, ownerKey, change);
    this.#report("begun", "guest");
    return session;
  }

  /**
   * Changes a session, and extends its lifetime if that is due. If its ID was renewed in the meantime, changes it
   * under the new ID.
   * @throws SessionEndedError if it ended or moved in the meantime: an update never restores it
   */
  async update(session: LoadedSession, change: RecordChange): Promise<LoadedSession> {
    const { user, handle } = session.record;
    const extension = this.#records.extensionOf(session);
    if (extension !== undefined && user !== undefined) {
      await this.users.change(user.id, handle, (entry) => ({ ...entry, ...extension }));
    }
    let found = await this.#records.change(session, change);
    while (isMark(found)) {
      const next = found.mark === "renewed" ? await this.#records.read(found.to) : undefined;
      if (next === undefined) throw new SessionEndedError();
      found = isMark(next) ? next : await this.#records.change(next, change);
    }
    if (extension !== undefined) this.#report("extended", "use");
    return found;
  }

  /** Whether to extend the session now, or to renew its ID. */
  isUpkeepDue({ extendAt, renewAt }: LoadedSession): boolean {
    return Math.min(extendAt, renewAt) <= this.clock.now();
  }

  /** Whether `update` would extend the session now. */
  isExtensionDue({ extendAt }: LoadedSession): boolean {
    return extendAt <= this.clock.now();
  }

  /** When a session that is used now will end, in epoch milliseconds. */
  extendedEnd({ record }: LoadedSession): number {
    return endOfSession(record, this.#records.settings, this.clock.now());
  }

  /** When a session ends at the latest if no call extends it again; a user's: even if calls do. Epoch milliseconds. */
  latestEnd(session: LoadedSession): number {
    const { user, createdAt } = session.record;
    if (user === undefined) return this.extendedEnd(session);
    return createdAt + this.#records.settings.absoluteTimeout * 1000;
  }

  /** Seconds from the last use until the last session of this shop expires. */
  get longestIdleTimeout(): number {
    const { idleTimeout, guestIdleTimeout } = this.#records.settings;
    return Math.max(idleTimeout, guestIdleTimeout);
  }

  /** Whether the session's ID is old enough for `renew`. */
  isRenewalDue({ renewAt }: LoadedSession): boolean {
    return renewAt <= this.clock.now();
  }

  /** Whether the session's user has authenticated recently (ASVS 5.0, 7.5.1). */
  isFresh({ record: { user, createdAt, authenticatedAt = createdAt } }: LoadedSession): boolean {
    const freshFor = this.#records.settings.freshFor * 1000;
    return user !== undefined && this.clock.now() - authenticatedAt < freshFor;
  }

  /** Creates a session that is bound to a user: see {@link bindSession}. */
  async bind(old: LoadedSession | undefined, login: Login): ReturnType<typeof bindSession> {
    const bound = await bindSession(this.#records, old, login);
    this.#report("begun", "user");
    this.#report("ended", "login", (old === undefined ? 0 : 1) + (login.others?.length ?? 0));
    return bound;
  }

  /** Gives a user's session a new ID at a change of privilege: see {@link rotateSession}. */
  async rotate(old: LoadedSession, change: { readonly proved: boolean }): Promise<LoadedSession> {
    const session = await rotateSession(this.#records, old, change);
    this.#report("renewed", "privilege");
    return session;
  }

  /** Gives a user's session a new ID because of the old one's age: see {@link renewSession}. */
  async renew(old: LoadedSession): Promise<LoadedSession> {
    const session = await renewSession(this.#records, old);
    this.#report("renewed", "age");
    return session;
  }

  /** Ends a session; you can end it twice. @returns its last record */
  async end(session: LoadedSession): Promise<SessionRecord> {
    const last = await this.#ending(session.record, () => this.#end(session));
    this.#report("ended", "logout");
    return last;
  }

  /** Whether a call extends a user's session, or renews its ID: then the user's index must name it. */
  #needsIndex(session: LoadedSession): boolean {
    return session.record.user !== undefined && this.isUpkeepDue(session);
  }

  #report(event: SessionEvent, reason: SessionReason, count = 1): void {
    if (count > 0) this.users.store.observer?.session(this.shopId, event, reason, count);
  }

  async #end(session: LoadedSession): Promise<SessionRecord> {
    const { user, handle } = session.record;
    const last = await this.#records.end(session);
    if (last !== undefined && !isMark(last)) {
      await this.users.remove(session);
      return last.record;
    }
    // If the record is gone, the session may have moved to a new ID: then end it there.
    const to = last?.mark === "renewed" ? last.to : undefined;
    if (user !== undefined) await this.#endMoved(user.id, handle, to);
    return session.record;
  }

  /** Ends a session, and its other data. */
  async #ending<T>({ handle }: SessionRecord, end: () => Promise<T>): Promise<T> {
    const { endings } = this.users;
    if (!endings?.isNeeded) return end();
    const ending = [{ shopId: this.shopId, handle }];
    await endings.note(ending);
    const result = await end();
    await endings.finish(ending);
    return result;
  }

  /** Ends a session under its current ID. @param to an ID that resolves to it, because a lost index doesn't name it */
  async #endMoved(userId: string | number, handle: string, to: string | undefined) {
    const ended = await this.users.endOne(userId, handle);
    if (ended !== undefined || to === undefined) return ended;
    const found = await this.#records.follow(await this.#records.read(to));
    return found === undefined || isMark(found) ? undefined : this.#records.end(found);
  }
}

// --- Internal helpers ---

/** Whether an ID is used after the grace period of its renewal. */
function isReused(renewedAt: number, next: Found | undefined, clock: Clock): boolean {
  if (next === undefined || (isMark(next) && next.mark !== "renewed")) return false;
  const { firstUsedAt = renewedAt } = isMark(next) ? next : next.record;
  return firstUsedAt !== 0 && clock.now() - firstUsedAt > graceMilliseconds;
}
