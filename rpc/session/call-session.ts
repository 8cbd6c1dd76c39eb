import { copyOf } from "../../shared/copy.ts";
import type { RevocationMark } from "../../storage/sessions/revocations.ts";
import type { SessionCustomData, ShopUser } from "../../storage/sessions/session-record.ts";
import type { RecordChange, Session } from "../../storage/sessions/session.ts";
import type { Call } from "../call.ts";
import { VisitorLists } from "../lists/visitor-lists.ts";
import type { ShopServices } from "../shop-services.ts";
import { completePendingMerges } from "./login.ts";
import { assertUser, isSameUser, patchCustomData } from "./record-changes.ts";
import type { SharedGuest } from "./shared-guest.ts";
import { SessionTokenStore } from "./session-tokens.ts";
import { UnitOfWork } from "./unit-of-work.ts";

/** The active sessions that a call came with. */
export interface CallSessions {
  readonly session: Session | undefined;
  /** Other sessions of the same client: a login and a logout end them too. */
  readonly others: readonly Session[];
  /** Whether the client sent the ID before this one, and may not know this one yet. */
  readonly isRenewed: boolean;
}

/**
 * The session of one call: the stored session, and the changes of the call.
 *
 * `commit` writes all changes of the call in one write; a login or a logout takes effect immediately. Methods throw
 * StorageUnavailableError, and SessionEndedError if the session ended or moved while the call ran.
 */
export class CallSession {
  readonly call: Call;
  /** The stored session, if there is one. Only the modules of this folder set it. */
  current: Session | undefined;
  /** Other active sessions of the same client. */
  others: readonly Session[];
  /** The user without the changes of this call. */
  storedUser: ShopUser | undefined;
  /** The last revocation of sessions before a login of this call: a later one makes the login fail. */
  lastRevocation: RevocationMark | Promise<RevocationMark | undefined> | undefined;
  /** The session that this call begins together with other calls of its page. */
  sharedGuest: SharedGuest | undefined;
  /** Whether the method has the verb GET. Then the call writes only the upkeep of its session. */
  isReadOnly = false;
  /** A change that `commit` adds to the others. Alone, it begins no session. */
  lastChange: RecordChange | undefined;
  #isCleared = false;
  #nextUser: ShopUser | undefined;
  #userCopy: ShopUser | undefined;
  #customDataCopy: Partial<SessionCustomData> | undefined;
  // Created on access, because most calls need none of them.
  #work: UnitOfWork | undefined;
  #lists: VisitorLists | undefined;
  #tokens: SessionTokenStore | undefined;

  constructor(
    call: Call,
    { session, others, isRenewed }: CallSessions,
    sharedGuest?: SharedGuest | undefined,
  ) {
    this.call = call;
    this.sharedGuest = sharedGuest;
    this.current = session;
    this.others = others;
    this.storedUser = session?.record.user;
    if (session?.record.firstUsedAt === 0 && !isRenewed) {
      this.work.note(call.services.sessions.noteFirstUse);
    }
  }

  get services(): ShopServices {
    return this.call.services;
  }

  /**
   * The services for changes. Reading it throws Error if the call is read-only, and RpcError `timeout` after the deadline.
   */
  get writable(): ShopServices {
    this.assertWritable();
    return this.maintainable;
  }

  /**
   * The services for the upkeep of the session, which a read-only call needs, too. Reading it throws RpcError `timeout`
   * after the deadline, because the call must not write any more.
   */
  get maintainable(): ShopServices {
    this.call.request.deadline.assertInTime();
    return this.call.services;
  }

  /** @throws Error if the call is read-only */
  assertWritable(): void {
    if (!this.isReadOnly) return;
    throw new Error(
      `Method "${this.call.request.method}" can't change anything, because its verb is GET. Remove its verb, or make the change in a method without GET`,
    );
  }

  get work(): UnitOfWork {
    return (this.#work ??= new UnitOfWork(this));
  }

  get lists(): VisitorLists {
    return (this.#lists ??= new VisitorLists(this));
  }

  get tokens(): SessionTokenStore {
    return (this.#tokens ??= new SessionTokenStore(this));
  }

  get id(): string | undefined {
    return this.current?.record.id;
  }

  /** The user with the changes of this call: a copy that a method can change. */
  get user(): ShopUser | undefined {
    return (this.#userCopy ??= copyOf(this.#nextUser ?? this.storedUser));
  }

  get isLoggedIn(): boolean {
    return (this.#nextUser ?? this.storedUser) !== undefined;
  }

  /** The custom data with the changes of this call: a copy that a method can change. */
  get customData(): Readonly<Partial<SessionCustomData>> {
    return (this.#customDataCopy ??= copyOf(this.work.preview.customData));
  }

  /** Whether this call ended the visitor's session and began none after it. */
  get ended(): boolean {
    return this.#isCleared && this.current === undefined;
  }

  /** Whether this call extended the session's lifetime. */
  get extended(): boolean {
    return this.#work?.extended ?? false;
  }

  /** See {@link RpcContext.updateUser}. */
  updateUser(user: ShopUser): void {
    this.assertWritable();
    assertUser(user);
    if (!isSameUser(this.#nextUser ?? this.storedUser, user)) this.tokens.clear();
    this.#nextUser = structuredClone(user);
    this.#userCopy = undefined;
  }

  /** Takes the changed user: `commit` writes the change, or a login replaces it. */
  takeUser(): ShopUser | undefined {
    const user = this.#nextUser;
    this.#nextUser = undefined;
    return user;
  }

  /** See {@link RpcContext.updateCustomData}. */
  updateCustomData(patch: Partial<SessionCustomData>): void {
    this.assertWritable();
    this.work.tryNote(patchCustomData(patch));
    this.#customDataCopy = undefined;
  }

  /** Whether the session is active under its ID, which a parallel call may have replaced. */
  async isActive(): Promise<boolean> {
    const { id } = this;
    return id !== undefined && (await this.services.sessions.lookUp(id)).state === "active";
  }

  /** Tries again the merges that failed at a login; usually there are none. */
  completePendingMerge(): Promise<void> | undefined {
    return this.current?.record.mergePending ? completePendingMerges(this) : undefined;
  }

  /** Writes the changes of the call, and extends the session if that is due; usually there is nothing to do. */
  commit(): Promise<void> | undefined {
    const { sessions } = this.services;
    const { current } = this;
    const isUpkeepDue = current !== undefined && sessions.isUpkeepDue(current);
    const isChanged =
      this.#tokens !== undefined || this.#nextUser !== undefined || this.#work?.isTouched;
    const isLastDue = this.lastChange !== undefined && current !== undefined;
    return isChanged || isUpkeepDue || isLastDue ? this.work.commit(this.#tokens) : undefined;
  }

  /** Continues with another session after a login or a new ID, or without one. */
  replace(session: Session | undefined): void {
    this.current = session;
    this.storedUser = session?.record.user;
    this.#userCopy = undefined;
    this.#customDataCopy = undefined;
  }

  /** Continues without a session, after a logout. */
  clear(): void {
    this.replace(undefined);
    this.others = [];
    this.sharedGuest = undefined;
    this.#isCleared = true;
    this.#nextUser = undefined;
    this.tokens.clear();
    this.#work?.clear();
  }
}
