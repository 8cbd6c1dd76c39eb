import { copyOf } from "../../shared/copy.ts";
import type { RevocationMark } from "../../storage/sessions/revocations.ts";
import type { SessionCustomData, ShopUser } from "../../storage/sessions/session-record.ts";
import type { RecordChange, LoadedSession } from "../../storage/sessions/session.ts";
import type { Call } from "../call.ts";
import type { RpcContext } from "../context.ts";
import { VisitorLists } from "../lists/visitor-lists.ts";
import { isSameUser, patchCustomData, toStoredUser } from "./record-changes.ts";
import { SessionTokenStore } from "./session-tokens.ts";
import type { SharedGuest } from "./shared-guest.ts";
import { UnitOfWork } from "./unit-of-work.ts";

/**
 * The session of one call, with its user, lists, tokens, and changes, which `commit` writes together. A login or a
 * logout takes effect immediately.
 */
export class CallSession extends UnitOfWork {
  /** The name of the transport that issues the session. */
  readonly transport: string;
  /** Other active sessions of the same client: a login and a logout end them, too. */
  others: readonly LoadedSession[];
  /** The user without the changes of this call. */
  storedUser: ShopUser | undefined;
  /** The last revocation of sessions before a login of this call: a later one makes the login fail. */
  lastRevocation: RevocationMark | Promise<RevocationMark | undefined> | undefined;
  /** A change that `commit` adds to the others. Alone, it begins no session. */
  lastChange: RecordChange | undefined;
  /** The tokens, if the call has used them. */
  usedTokens: SessionTokenStore | undefined;
  readonly #createContext: (session: CallSession) => RpcContext;
  #context: RpcContext | undefined;
  #isCleared = false;
  #nextUser: ShopUser | undefined;
  #userCopy: ShopUser | undefined;
  #customDataCopy: Partial<SessionCustomData> | undefined;
  #lists: VisitorLists | undefined;

  /** @param found `isRenewed`: whether the client sent the ID before this one, and may not know this one yet */
  constructor(
    call: Call,
    found: {
      readonly session: LoadedSession | undefined;
      readonly others: readonly LoadedSession[];
      readonly isRenewed: boolean;
    },
    transport: string,
    createContext: (session: CallSession) => RpcContext,
    sharedGuest?: SharedGuest | undefined,
  ) {
    const { session } = found;
    super(call, session, sharedGuest);
    this.transport = transport;
    this.others = found.others;
    this.storedUser = session?.record.user;
    this.#createContext = createContext;
    if (session?.record.firstUsedAt === 0 && !found.isRenewed) {
      this.note(call.services.sessions.noteFirstUse);
    }
  }

  /** The context of the call's methods, and of its hooks. */
  get context(): RpcContext {
    return (this.#context ??= this.#createContext(this));
  }

  // Created on access, because most calls need none of them.
  get lists(): VisitorLists {
    return (this.#lists ??= new VisitorLists(this));
  }

  get tokens(): SessionTokenStore {
    return (this.usedTokens ??= new SessionTokenStore(this));
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
    return (this.#customDataCopy ??= copyOf(this.preview.customData));
  }

  /** Whether this call ended the visitor's session and began none after it. */
  get ended(): boolean {
    return this.#isCleared && this.current === undefined;
  }

  /** Whether `commit` has something to do. For most calls, it has nothing. */
  get isCommitDue(): boolean {
    const { current } = this;
    const isUpkeepDue = current !== undefined && this.services.sessions.isUpkeepDue(current);
    const isChanged =
      this.usedTokens !== undefined || this.#nextUser !== undefined || this.isTouched;
    const isLastDue = this.lastChange !== undefined && current !== undefined;
    return isChanged || isUpkeepDue || isLastDue;
  }

  /** See {@link RpcContext.updateUser}. */
  updateUser(user: ShopUser): void {
    this.assertWritable();
    const next = toStoredUser(user);
    if (!isSameUser(this.#nextUser ?? this.storedUser, user)) this.tokens.clear();
    this.#nextUser = next;
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
    this.tryNote(patchCustomData(patch));
    this.#customDataCopy = undefined;
  }

  /** Continues with another session after a login or a new ID, or without one. */
  replace(session: LoadedSession | undefined): void {
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
    this.forget();
  }
}
