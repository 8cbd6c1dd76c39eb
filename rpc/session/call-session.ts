import { describeError } from "../../shared/log.ts";
import type {
  SessionCustomData,
  SessionRecord,
  ShopUser,
} from "../../storage/sessions/session-record.ts";
import type { Session } from "../../storage/sessions/session-records.ts";
import { idsOf, type UserSession } from "../../storage/sessions/user-index.ts";
import { SessionEndedError } from "../../storage/sessions/user-sessions.ts";
import type { ShopServices } from "../shop-services.ts";
import { VisitorLists } from "../lists/visitor-lists.ts";
import type { CallSessions } from "./call-sessions.ts";
import { endSessions, incompleteEnd } from "./ended-sessions.ts";
import type { Call } from "../call.ts";
import type { LoginOptions } from "../context.ts";
import { copyOf } from "../../shared/copy.ts";
import type { MergeReport } from "../lists/transfer.ts";
import { PendingMerges } from "../lists/pending-merges.ts";
import { noteFirstUse, patchCustomData } from "./record-changes.ts";
import { CallTokens } from "./session-tokens.ts";
import { SignInMark } from "./sign-in-mark.ts";
import { SessionWork } from "./unit-of-work.ts";
import { assertUser, UserDraft } from "./user-draft.ts";

/**
 * The session of one call.
 *
 * `commit` writes all changes of the call in one write; a login or a logout takes effect immediately.
 * Methods throw StorageUnavailableError, and SessionEndedError if the session ended or moved while the
 * call ran.
 */
export class CallSession {
  readonly #backend: ShopServices;
  readonly #call: Call;
  readonly #work: SessionWork;
  readonly #user: UserDraft;
  #others: readonly Session[];
  #ended = false;
  // Created on access, because most calls need none of them.
  #signInMark: SignInMark | undefined;
  #lists: VisitorLists | undefined;
  #tokens: CallTokens | undefined;
  #customDataCopy: Partial<SessionCustomData> | undefined;

  constructor(backend: ShopServices, { session, others, isRenewed }: CallSessions, call: Call) {
    this.#backend = backend;
    this.#call = call;
    this.#others = others;
    this.#work = new SessionWork(backend, session, call);
    this.#user = new UserDraft(session?.record.user);
    if (session?.record.firstUsedAt === 0 && !isRenewed) this.#work.note(noteFirstUse);
  }

  get signInMark(): SignInMark {
    this.#signInMark ??= new SignInMark(this.#backend.sessions.users);
    return this.#signInMark;
  }

  /** The visitor's basket and wishlist. */
  get lists(): VisitorLists {
    this.#lists ??= new VisitorLists(this.#backend, {
      current: () => this.current,
      guestKey: () => this.#work.ownerKey,
      note: (change) => this.#work.note(change),
      write: (change) => this.#work.write(() => [change]),
      assertInTime: () => this.#call.deadline.assertInTime(),
      assertAlive: () => this.#assertAlive(),
    });
    return this.#lists;
  }

  /** What a commerce system has given for the visitor. */
  get tokens(): CallTokens {
    this.#tokens ??= new CallTokens(this.#backend, this.#call);
    return this.#tokens;
  }

  /** The id of the session as it stands, if there is one. */
  get id(): string | undefined {
    return this.current?.record.id;
  }

  /** The current session, if there is one. */
  get current(): Session | undefined {
    return this.#work.current;
  }

  /** Whether this call ended the visitor's session and began none after it. */
  get ended(): boolean {
    return this.#ended && this.current === undefined;
  }

  /** Whether the session is active under its ID, which a parallel call may have replaced. */
  async isActive(): Promise<boolean> {
    const { id } = this;
    return id !== undefined && (await this.#backend.sessions.lookUp(id)).state === "active";
  }

  /** Whether this call extended the session's life. */
  get extended(): boolean {
    return this.#work.extended;
  }

  /** Who is logged in, with the changes of this call. */
  get user(): ShopUser | undefined {
    return this.#user.current;
  }

  /** The user as they are stored, where the call has not had a copy to change; not to be changed itself. */
  get storedUser(): ShopUser | undefined {
    return this.#user.stored;
  }

  get isLoggedIn(): boolean {
    return this.#user.isThere;
  }

  /** Whether the user has proved a short while ago who they are. */
  get isFresh(): boolean {
    return this.current !== undefined && this.#backend.sessions.isFresh(this.current);
  }

  /** The session's custom data, with the changes of this call. */
  get customData(): Readonly<Partial<SessionCustomData>> {
    this.#customDataCopy ??= copyOf(this.#work.preview.customData);
    return this.#customDataCopy;
  }

  /**
   * Changes the user at `commit`; fields that parallel calls change stay changed.
   * Another user than before, or the first, is a login: the session is bound to them, under a new id.
   * @throws TypeError where the user has no valid id
   */
  updateUser(user: ShopUser): void {
    const isSame = this.#user.change(user);
    if (!isSame) this.tokens.forget();
  }

  /**
   * Sets fields of the custom data at `commit`; `undefined` removes one.
   * @throws RpcError `limit_reached`; so does `commit`, where parallel calls add too much together
   */
  updateCustomData(patch: Partial<SessionCustomData>): void {
    this.#work.tryNote(patchCustomData(patch));
    this.#customDataCopy = undefined;
  }

  /** Binds the session to a user, under a new id, and merges what the guest left. */
  async bind(user: ShopUser, options: LoginOptions = {}): Promise<MergeReport> {
    assertUser(user);
    // What is known of one user is of no other; `updateUser` has seen to that for its own.
    if (!this.#user.drop(user)) this.tokens.forget();
    if (this.current !== undefined && this.#work.hasChanges) await this.#work.writeNoted();
    const { session, pendingMerges } = await this.#work.writable.sessions.bind(this.current, {
      user: structuredClone(user),
      since: await this.signInMark.get(),
      userAgent: this.#call.userAgent?.slice(0, 256),
      transport: this.#call.transport,
      transient: options.rememberMe === false ? true : undefined,
      others: this.#others,
    });
    this.#others = [];
    this.#adopt(session);
    const merge = await this.#merges.complete(user, pendingMerges);
    await this.#call.afterLogin(user, merge);
    return merge;
  }

  /**
   * Gives the user's session a new id; a guest's keeps its own.
   * @param change `proved`: the user has just proved who they are, so that their login is fresh
   */
  async rotate(change: { readonly proved: boolean }): Promise<void> {
    const session = this.current;
    if (session?.record.user === undefined) return;
    this.#adopt(await this.#work.writable.sessions.rotate(session, change));
  }

  /** Ends the client's sessions, and removes a guest's lists. */
  async destroy(): Promise<void> {
    const own = this.current === undefined ? [] : [this.current];
    // The call's own session comes last: if another one fails to end, the visitor can try again.
    const ended = await this.#end(...this.#others, ...own);
    this.#forget();
    for (const record of ended) await this.#finishEnd(record);
  }

  /** Ends a user's sessions in the whole realm, except those to keep. @returns their number, and whether it is complete */
  async destroyAllOf(userId: string | number, kept: readonly string[]) {
    // If a parallel call gives a session another ID right now, it is still the same session.
    const isKept = (session: UserSession) => idsOf(session).some((id) => kept.includes(id));
    const { realm, sessions } = this.#work.writable;
    const mark = await this.signInMark.get();
    const { ended, isComplete, since } = await endSessions(realm.users, userId, isKept, mark);
    this.signInMark.moveTo(since.get(sessions.users));
    await this.#forgetIfAmong(ended);
    if (!isComplete) this.#call.log.warn(incompleteEnd, { userId });
    const isOwn = !isComplete && (await this.#destroyUnnamed(userId, kept));
    return { count: ended.length + (isOwn ? 1 : 0), isComplete };
  }

  /** Ends the call's own session if the user's index was lost and doesn't name it. */
  async #destroyUnnamed(userId: string | number, kept: readonly string[]): Promise<boolean> {
    const session = this.current;
    const isTheirs = session !== undefined && String(session.record.user?.id) === String(userId);
    if (!isTheirs || kept.includes(session.record.id)) return false;
    await this.#end(session);
    await this.#forgetAll();
    return true;
  }

  /** Ends a user's other sessions in the whole realm. */
  async destroyOthersOf(userId: string | number): Promise<void> {
    await this.destroyAllOf(userId, this.id === undefined ? [] : [this.id]);
  }

  /** Ends one of a user's sessions. @returns whether there was one of this handle */
  async destroyByHandle(userId: string | number, handle: string): Promise<boolean> {
    const results = await Promise.all(
      this.#work.writable.realm.users.map((users) => users.endOne(userId, handle)),
    );
    const ended = results.filter((session) => session !== undefined);
    await this.#forgetIfAmong(ended);
    return ended.length > 0;
  }

  /** Does what a login had to put off; mostly nothing. */
  completePendingMerge(): Promise<void> | undefined {
    return this.current?.record.mergePending ? this.#merges.completeOwed() : undefined;
  }

  get #merges(): PendingMerges {
    return new PendingMerges(this.#backend, this.#work, this.#call, () => this.lists);
  }

  /** Writes the changes of the call, and extends the session if that is due; usually there is nothing to do. */
  commit(): Promise<void> | undefined {
    const isAsItWas = this.#work.isUntouched && !this.#user.isChanged && this.#tokens === undefined;
    return isAsItWas && !this.#work.isUpkeepDue ? undefined : this.#commit();
  }

  async #commit(): Promise<void> {
    const { login } = this.#user;
    if (login !== undefined) await this.bind(login);
    if (this.#tokens !== undefined) {
      const record = this.current?.record ?? { ownerKey: this.#work.ownerKey };
      this.#work.note(...(await this.#tokens.toChanges(record)));
    }
    const change = this.#user.takeChange();
    if (change !== undefined) this.#work.note(change);
    await this.#work.writeNoted();
    this.#tokens?.reportLoss();
    await this.#work.renewIfDue();
  }

  /** A guest's basket ends with the session, and refuses by itself; a user's stays. */
  async #assertAlive(): Promise<void> {
    const { user } = this.current?.record ?? {};
    if (user !== undefined && !(await this.isActive())) throw new SessionEndedError();
  }

  /** The session has ended already, so a failure here doesn't fail the call. */
  async #finishEnd(record: SessionRecord): Promise<void> {
    if (record.user !== undefined) return this.#call.afterLogout(record.user);
    try {
      await this.lists.close(record);
    } catch (error) {
      const message =
        "A guest's basket or wishlist stays stored after its session, until it expires";
      this.#call.log.warn(message, { error: describeError(error) });
    }
  }

  #adopt(session: Session): void {
    this.#work.adopt(session);
    this.#user.adopt(session.record.user);
    this.#customDataCopy = undefined;
  }

  async #end(...sessions: readonly Session[]): Promise<SessionRecord[]> {
    const ended: SessionRecord[] = [];
    for (const one of sessions) ended.push(await this.#work.writable.sessions.end(one));
    return ended;
  }

  async #forgetIfAmong(ended: readonly UserSession[]): Promise<void> {
    const ids = new Set(ended.flatMap(idsOf));
    if (this.id === undefined || !ids.has(this.id)) return;
    this.#others = this.#others.filter(({ record }) => !ids.has(record.id));
    await this.#forgetAll();
  }

  /** The call's own session is over, so the client keeps no other one either. */
  async #forgetAll(): Promise<void> {
    const others = this.#others;
    this.#forget();
    for (const record of await this.#end(...others)) await this.#finishEnd(record);
  }

  #forget(): void {
    this.#others = [];
    this.tokens.forget();
    this.#work.forget();
    this.#user.forget();
    this.#customDataCopy = undefined;
    this.#ended = true;
  }
}
