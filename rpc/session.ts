import { randomUUID } from "uncrypto";
import { describeError } from "../storage/log.ts";
import {
  isUserId,
  type SessionCustomData,
  type SessionRecord,
  type ShopUser,
} from "../storage/session-record.ts";
import type { RecordChange, Session } from "../storage/session-records.ts";
import type { PendingMerge, UserSession } from "../storage/user-index.ts";
import { SessionEndedError } from "../storage/user-sessions.ts";
import type { ShopBackend } from "./backend.ts";
import { Belongings } from "./belongings.ts";
import type { Caller } from "./caller.ts";
import { copyOf } from "./copy.ts";
import { completeMerges, type MergeReport } from "./merge.ts";
import { chain, changeUser, owingNothing, patchCustomData } from "./record-changes.ts";
import { SignInMark } from "./sign-in-mark.ts";
import { CallTokens } from "./session-tokens.ts";

/** How a new login is kept. */
export interface LoginOptions {
  /** `false` ends the cookie with the browser. @default true */
  readonly rememberMe?: boolean | undefined;
}

/**
 * The session of one call: what was loaded, what the call changes, and what stands at its end.
 *
 * Changes are collected, and written in one write by `commit`; what must not wait (login, logout) is
 * done at once. Methods throw StorageUnavailableError, and SessionEndedError where the session ended
 * or moved while the call ran.
 */
export class CallSession {
  readonly #backend: ShopBackend;
  readonly #caller: Caller;
  readonly signInMark: SignInMark;
  #session: Session | undefined;
  #changes: RecordChange[] = [];
  #ended = false;
  #extended = false;
  // Made when they are asked for: most calls need none of them.
  #lastWrite: Promise<void> | undefined;
  #guestKey: string | undefined;
  #belongings: Belongings | undefined;
  #tokens: CallTokens | undefined;
  /** The user as the call last knew it stored, and as it is to be. Methods get copies, to change at will. */
  #knownUser: ShopUser | undefined;
  #nextUser: ShopUser | undefined;
  #userCopy: ShopUser | undefined;
  #customDataCopy: Partial<SessionCustomData> | undefined;

  constructor(backend: ShopBackend, session: Session | undefined, caller: Caller) {
    this.#backend = backend;
    this.#caller = caller;
    this.signInMark = new SignInMark(backend.sessions.users);
    this.#session = session;
    this.#knownUser = session?.record.user;
  }

  /** The visitor's basket and wishlist. */
  get belongings(): Belongings {
    this.#belongings ??= new Belongings(this.#backend, {
      current: () => this.#session,
      guestKey: () => this.#ownerKey,
      note: (change) => void this.#changes.push(change),
      write: (change) => this.#write(() => [change]),
      assertInTime: () => this.#caller.deadline.assertInTime(),
      assertAlive: () => this.#assertAlive(),
    });
    return this.#belongings;
  }

  /** What a commerce system has given for the visitor. */
  get tokens(): CallTokens {
    this.#tokens ??= new CallTokens(this.#backend, this.#caller);
    return this.#tokens;
  }

  /** The id of the session as it stands, if there is one. */
  get id(): string | undefined {
    return this.#session?.record.id;
  }

  /** The session as it stands, if there is one. */
  get current(): Session | undefined {
    return this.#session;
  }

  /** Whether this call ended the visitor's session and began none after it. */
  get ended(): boolean {
    return this.#ended && this.#session === undefined;
  }

  /** Whether this call extended the session's life. */
  get extended(): boolean {
    return this.#extended;
  }

  /** Who is logged in, with the changes of this call. */
  get user(): ShopUser | undefined {
    this.#userCopy ??= copyOf(this.#nextUser ?? this.#knownUser);
    return this.#userCopy;
  }

  /** The user as they are stored, where the call has not had a copy to change; not to be changed itself. */
  get storedUser(): ShopUser | undefined {
    const isAsStored = this.#nextUser === undefined && this.#userCopy === undefined;
    return isAsStored ? this.#knownUser : undefined;
  }

  get isLoggedIn(): boolean {
    return (this.#nextUser ?? this.#knownUser) !== undefined;
  }

  /** Whether the user has proved a short while ago who they are. */
  get isFresh(): boolean {
    return this.#session !== undefined && this.#backend.sessions.isFresh(this.#session);
  }

  /** The session's custom data, with the changes of this call. */
  get customData(): Readonly<Partial<SessionCustomData>> {
    this.#customDataCopy ??= copyOf(
      chain(this.#changes)(this.#session?.record ?? blankRecord).customData,
    );
    return this.#customDataCopy;
  }

  /**
   * Changes the user at `commit`; fields that parallel calls change stay changed.
   * Another user than before, or the first, is a login: the session is bound to them, under a new id.
   * @throws TypeError where the user has no valid id
   */
  updateUser(user: ShopUser): void {
    assertUser(user);
    if (!isSameUser(this.#nextUser ?? this.#knownUser, user)) this.tokens.update(undefined);
    this.#nextUser = structuredClone(user);
    this.#userCopy = undefined;
  }

  /**
   * Sets fields of the custom data at `commit`; `undefined` removes one.
   * @throws RpcError `limit_reached`; so does `commit`, where parallel calls add too much together
   */
  updateCustomData(patch: Partial<SessionCustomData>): void {
    const changes = [...this.#changes, patchCustomData(patch)];
    chain(changes)(this.#session?.record ?? blankRecord);
    this.#changes = changes;
    this.#customDataCopy = undefined;
  }

  /** Binds the session to a user, under a new id, and merges what the guest left. */
  async bind(user: ShopUser, options: LoginOptions = {}): Promise<MergeReport> {
    assertUser(user);
    // What is known of one user is of no other; `updateUser` has seen to that for its own.
    if (user !== this.#nextUser) this.tokens.update(undefined);
    this.#nextUser = undefined;
    if (this.#session !== undefined && this.#changes.length > 0) {
      await this.#write(() => this.#takeChanges());
    }
    const { session, pendingMerges } = await this.#writable.sessions.bind(this.#session, {
      user: structuredClone(user),
      since: await this.signInMark.get(),
      userAgent: this.#caller.userAgent?.slice(0, 256),
      transport: this.#caller.transport,
      transient: options.rememberMe === false ? true : undefined,
    });
    this.#adopt(session);
    const merge = await this.#complete(user, pendingMerges);
    await this.#caller.afterLogin(user, merge);
    return merge;
  }

  /**
   * Gives the user's session a new id; a guest's keeps its own.
   * @param change `proved`: the user has just proved who they are, so that their login is fresh
   */
  async rotate(change: { readonly proved: boolean }): Promise<void> {
    const session = this.#session;
    if (session?.record.user === undefined) return;
    this.#adopt(await this.#writable.sessions.rotate(session, change));
  }

  /** Ends the session, and with it what belongs to a guest. */
  async destroy(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return this.#forget();
    const record = await this.#writable.sessions.end(session);
    this.#forget();
    if (record.user !== undefined) return this.#caller.afterLogout(record.user);
    await this.belongings.end(record);
  }

  /** Ends a user's sessions in the whole realm, but for those to keep. @returns how many ended */
  async destroyAllOf(userId: string | number, sessionsToKeep: readonly string[]): Promise<number> {
    // One that a parallel call renews right now is still the one that was meant.
    const isKept = ({ id, replaces = id }: UserSession) =>
      sessionsToKeep.includes(id) || sessionsToKeep.includes(replaces);
    const { realm, sessions } = this.#writable;
    const since = await this.signInMark.get();
    const results = await Promise.all(
      realm.users.map((users) => users.endAll(userId, isKept, since)),
    );
    this.signInMark.moveTo(results[realm.users.indexOf(sessions.users)]?.since);
    const ended = results.flatMap((result) => result.ended);
    if (this.id !== undefined && ended.includes(this.id)) this.#forget();
    return ended.length;
  }

  /** Ends a user's other sessions in the whole realm. */
  async destroyOthersOf(userId: string | number): Promise<void> {
    await this.destroyAllOf(userId, this.id === undefined ? [] : [this.id]);
  }

  /** Ends one of a user's sessions. @returns whether there was one of this handle */
  async destroyByHandle(userId: string | number, handle: string): Promise<boolean> {
    const ended = await Promise.all(
      this.#writable.realm.users.map((users) => users.endOne(userId, handle)),
    );
    if (this.id !== undefined && ended.includes(this.id)) this.#forget();
    return ended.some((id) => id !== undefined);
  }

  /** Does what a login had to put off; mostly nothing. */
  completePendingMerge(): Promise<void> | undefined {
    const record = this.#session?.record;
    if (record?.user === undefined || !record.mergePending) return undefined;
    return this.#completeOwed(record.user);
  }

  /** Writes what the call changed, and extends the session's life where that is due; mostly nothing. */
  commit(): Promise<void> | undefined {
    return this.#isAsItWas && !this.#isUpkeepDue ? undefined : this.#commit();
  }

  /** Whether there is nothing that the call has changed. */
  get #isAsItWas(): boolean {
    const isWritten = this.#changes.length === 0 && this.#lastWrite === undefined;
    return isWritten && this.#nextUser === undefined && this.#tokens === undefined;
  }

  /** Whether the session's life is to be extended, or its id renewed. */
  get #isUpkeepDue(): boolean {
    const { sessions } = this.#backend;
    const session = this.#session;
    if (session === undefined) return false;
    return sessions.isExtensionDue(session) || sessions.isRenewalDue(session);
  }

  async #commit(): Promise<void> {
    const next = this.#nextUser;
    if (next !== undefined && !isSameUser(this.#knownUser, next)) await this.bind(next);
    if (this.#tokens !== undefined) {
      const record = this.#session?.record ?? { ownerKey: this.#ownerKey };
      this.#changes.push(...(await this.#tokens.toChanges(record)));
    }
    await this.#write(() => this.#takeChanges());
    const session = this.#session;
    if (session !== undefined && this.#backend.sessions.isRenewalDue(session)) {
      await this.#renew(session);
    }
  }

  /** The owner key of a guest's session, where this call begins one. */
  get #ownerKey(): string {
    this.#guestKey ??= randomUUID();
    return this.#guestKey;
  }

  /** The backend, to be written to: a call that was answered by a timeout writes no more. */
  get #writable(): ShopBackend {
    this.#caller.deadline.assertInTime();
    return this.#backend;
  }

  /** A guest's basket ends with the session, and refuses by itself; a user's stays. */
  async #assertAlive(): Promise<void> {
    const { id, user } = this.#session?.record ?? {};
    if (id === undefined || user === undefined) return;
    if ((await this.#backend.sessions.load(id)) === undefined) {
      throw new SessionEndedError("The session ended meanwhile");
    }
  }

  /** One write at a time: two at once from one call would begin two sessions. */
  #write(takeChanges: () => readonly RecordChange[]): Promise<void> {
    const last = this.#lastWrite;
    const write =
      last === undefined
        ? this.#writeNow(takeChanges())
        : last.then(() => this.#writeNow(takeChanges()));
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }

  async #writeNow(changes: readonly RecordChange[]): Promise<void> {
    const { sessions } = this.#writable;
    const session = this.#session;
    if (session === undefined) {
      if (changes.length > 0)
        this.#session = await sessions.createGuest(this.#ownerKey, chain(changes));
      return;
    }
    const extend = sessions.isExtensionDue(session);
    if (changes.length === 0 && !extend) return;
    try {
      if (extend) await this.belongings.extend(session);
      this.#session = await sessions.update(session, chain(changes));
      this.#extended ||= extend;
    } catch (error) {
      // Where only the lifetime was to be written, what the call read was true when it began.
      if (changes.length > 0 || !(error instanceof SessionEndedError)) throw error;
    }
  }

  /** What the call changed is kept by now, so a renewal that fails is no failure of the call. */
  async #renew(session: Session): Promise<void> {
    const { sessions } = this.#writable;
    try {
      this.#session = await sessions.renew(session);
    } catch (error) {
      if (error instanceof SessionEndedError) return;
      this.#caller.log.warn("A session keeps its old id", { error: describeError(error) });
    }
  }

  /** What is to be written now; another user than before is `commit`'s concern. */
  #takeChanges(): RecordChange[] {
    const changes = this.#changes;
    this.#changes = [];
    const known = this.#knownUser;
    const next = this.#nextUser;
    if (next === undefined || !isSameUser(known, next)) return changes;
    this.#knownUser = next;
    this.#nextUser = undefined;
    return [...changes, changeUser(known, next)];
  }

  async #completeOwed(user: ShopUser): Promise<void> {
    const { pendingMerges } = await this.#backend.sessions.users.read(user.id);
    await this.#complete(user, pendingMerges);
  }

  /** Merges what guests left; once that is done, the session need not remember it any more. */
  async #complete(user: ShopUser, pending: readonly PendingMerge[]): Promise<MergeReport> {
    const report = await completeMerges(this.#backend, user.id, pending, this.#caller.log);
    if (report.status === "pending" || !this.#session?.record.mergePending) return report;
    try {
      this.#session = await this.#backend.sessions.update(this.#session, owingNothing);
    } catch (error) {
      // Then the next call looks again, and finds nothing to do.
      this.#caller.log.warn("A session still owes a merge that is done", {
        error: describeError(error),
      });
    }
    return report;
  }

  #adopt(session: Session | undefined): void {
    this.#session = session;
    this.#knownUser = session?.record.user;
    this.#userCopy = undefined;
    this.#customDataCopy = undefined;
  }

  #forget(): void {
    this.#changes = [];
    this.#nextUser = undefined;
    this.tokens.update(undefined);
    this.#adopt(undefined);
    this.#guestKey = undefined;
    this.#ended = true;
  }
}

// --- Internal helpers ---

const blankRecord: SessionRecord = {
  id: "",
  createdAt: 0,
  lastSeenAt: 0,
  handle: "",
  ownerKey: "",
  customData: {},
};

function isSameUser(a: ShopUser | undefined, b: ShopUser): boolean {
  return a !== undefined && String(a.id) === String(b.id);
}

function assertUser(user: ShopUser): void {
  if (!isUserId(user.id)) {
    throw new TypeError("A user's id is a positive integer or a string of 1 to 64 characters");
  }
}
