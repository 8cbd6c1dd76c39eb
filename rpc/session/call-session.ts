import type { Session } from "../../storage/sessions/session.ts";
import type { Call } from "../call.ts";
import { VisitorLists } from "../lists/visitor-lists.ts";
import type { ShopServices } from "../shop-services.ts";
import { completePendingMerges } from "./login.ts";
import { noteFirstUse } from "./record-changes.ts";
import { SessionDraft } from "./session-draft.ts";
import { SessionTokenStore } from "./session-tokens.ts";
import { SignInMark } from "./sign-in-mark.ts";
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
  #isCleared = false;
  // Created on access, because most calls need none of them.
  #work: UnitOfWork | undefined;
  #draft: SessionDraft | undefined;
  #lists: VisitorLists | undefined;
  #tokens: SessionTokenStore | undefined;
  #signInMark: SignInMark | undefined;

  constructor(call: Call, { session, others, isRenewed }: CallSessions) {
    this.call = call;
    this.current = session;
    this.others = others;
    if (session?.record.firstUsedAt === 0 && !isRenewed) this.work.note(noteFirstUse);
  }

  get services(): ShopServices {
    return this.call.services;
  }

  /** The services for writes: throws RpcError `timeout` after the deadline, because the call must not write any more. */
  get writable(): ShopServices {
    this.call.deadline.assertInTime();
    return this.call.services;
  }

  /** The changes of the session's record. */
  get work(): UnitOfWork {
    return (this.#work ??= new UnitOfWork(this));
  }

  /** The user and the custom data, as methods read and change them. */
  get draft(): SessionDraft {
    return (this.#draft ??= new SessionDraft(this));
  }

  /** The visitor's basket and wishlist. */
  get lists(): VisitorLists {
    return (this.#lists ??= new VisitorLists(this));
  }

  /** The tokens of a commerce system. */
  get tokens(): SessionTokenStore {
    return (this.#tokens ??= new SessionTokenStore(this));
  }

  get signInMark(): SignInMark {
    return (this.#signInMark ??= new SignInMark(this.services.sessions.users));
  }

  get id(): string | undefined {
    return this.current?.record.id;
  }

  get isLoggedIn(): boolean {
    return this.#draft?.isLoggedIn ?? this.current?.record.user !== undefined;
  }

  /** Whether the user authenticated within the last `freshFor` seconds. */
  get isFresh(): boolean {
    return this.current !== undefined && this.services.sessions.isFresh(this.current);
  }

  /** Whether this call ended the visitor's session and began none after it. */
  get ended(): boolean {
    return this.#isCleared && this.current === undefined;
  }

  /** Whether this call extended the session's lifetime. */
  get extended(): boolean {
    return this.#work?.extended ?? false;
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
    const { current, services } = this;
    const { sessions } = services;
    const isUpkeepDue =
      current !== undefined && (sessions.isExtensionDue(current) || sessions.isRenewalDue(current));
    const isChanged =
      this.#tokens !== undefined || this.#work?.isTouched || this.#draft?.isUserChanged;
    return isChanged || isUpkeepDue ? this.work.commit(this.#tokens) : undefined;
  }

  /** Continues with another session, after a login or a new ID. */
  replace(session: Session): void {
    this.current = session;
    this.#draft?.replace(session.record.user);
  }

  /** Continues without a session, after a logout. */
  clear(): void {
    this.current = undefined;
    this.others = [];
    this.#isCleared = true;
    this.tokens.clear();
    this.#work?.clear();
    this.#draft?.clear();
  }
}
