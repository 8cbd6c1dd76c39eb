import { copyOf } from "../../shared/copy.ts";
import {
  isUserId,
  type SessionCustomData,
  type ShopUser,
} from "../../storage/sessions/session-record.ts";
import type { RecordChange } from "../../storage/sessions/session.ts";
import type { CallSession } from "./call-session.ts";
import { changeUser, patchCustomData } from "./record-changes.ts";

/** The user and the custom data of a call's session: copies for methods, with the changes of the call. */
export class SessionDraft {
  readonly #session: CallSession;
  #storedUser: ShopUser | undefined;
  #nextUser: ShopUser | undefined;
  #userCopy: ShopUser | undefined;
  #customDataCopy: Partial<SessionCustomData> | undefined;

  constructor(session: CallSession) {
    this.#session = session;
    this.#storedUser = session.current?.record.user;
  }

  /** The user with the changes of this call: a copy that a method can change. */
  get user(): ShopUser | undefined {
    this.#userCopy ??= copyOf(this.#nextUser ?? this.#storedUser);
    return this.#userCopy;
  }

  get isLoggedIn(): boolean {
    return (this.#nextUser ?? this.#storedUser) !== undefined;
  }

  get isUserChanged(): boolean {
    return this.#nextUser !== undefined;
  }

  /** The custom data with the changes of this call. */
  get customData(): Readonly<Partial<SessionCustomData>> {
    this.#customDataCopy ??= copyOf(this.#session.work.preview.customData);
    return this.#customDataCopy;
  }

  /**
   * Changes the user at the end of the call. Fields that parallel calls change stay changed.
   * If another user was logged in, or none, it is a login.
   * @throws TypeError if the user has no valid ID
   */
  updateUser(user: ShopUser): void {
    assertUser(user);
    if (!isSameUser(this.#nextUser ?? this.#storedUser, user)) this.#session.tokens.clear();
    this.#nextUser = structuredClone(user);
    this.#userCopy = undefined;
  }

  /**
   * Sets fields of the custom data at the end of the call; `undefined` removes a field.
   * @throws RpcError `limit_reached`; so does the write, if parallel calls add too much together
   */
  updateCustomData(patch: Partial<SessionCustomData>): void {
    this.#session.work.tryNote(patchCustomData(patch));
    this.#customDataCopy = undefined;
  }

  /** The changed user, if it is another user than the stored one: then the change is a login. */
  get newUser(): ShopUser | undefined {
    const next = this.#nextUser;
    return next === undefined || isSameUser(this.#storedUser, next) ? undefined : next;
  }

  /** Drops the change of the user, because a login replaces it. @returns whether the login is of this change */
  dropChange(user: ShopUser): boolean {
    const isOfChange = user === this.#nextUser;
    this.#nextUser = undefined;
    return isOfChange;
  }

  /** Takes the change of the user to write; a login is no such change. */
  takeChange(): RecordChange | undefined {
    const stored = this.#storedUser;
    const next = this.#nextUser;
    if (next === undefined || !isSameUser(stored, next)) return undefined;
    this.#storedUser = next;
    this.#nextUser = undefined;
    return changeUser(stored, next);
  }

  /** Drops the copies, because the call continues with another session. */
  replace(user: ShopUser | undefined): void {
    this.#storedUser = user;
    this.#userCopy = undefined;
    this.#customDataCopy = undefined;
  }

  /** Drops the copies and the change, because the session has ended. */
  clear(): void {
    this.#nextUser = undefined;
    this.replace(undefined);
  }
}

/** @throws TypeError if the user has no valid ID */
export function assertUser(user: ShopUser): void {
  if (!isUserId(user.id)) {
    throw new TypeError("A user's id is a positive integer or a string of 1 to 64 characters");
  }
}

// --- Internal helpers ---

function isSameUser(a: ShopUser | undefined, b: ShopUser): boolean {
  return a !== undefined && String(a.id) === String(b.id);
}
