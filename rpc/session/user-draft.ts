import { isUserId, type ShopUser } from "../../storage/sessions/session-record.ts";
import type { RecordChange } from "../../storage/sessions/session-records.ts";
import { copyOf } from "../../shared/copy.ts";
import { changeUser } from "./record-changes.ts";

/** The user of a call's session: the stored user, and the call's changes. */
export class UserDraft {
  #known: ShopUser | undefined;
  #next: ShopUser | undefined;
  /** The copy that methods get, and can change. */
  #copy: ShopUser | undefined;

  constructor(known: ShopUser | undefined) {
    this.#known = known;
  }

  /** The user with the changes of this call; a copy. */
  get current(): ShopUser | undefined {
    this.#copy ??= copyOf(this.#next ?? this.#known);
    return this.#copy;
  }

  /** The stored user, if the call has no copy yet; don't change it. */
  get stored(): ShopUser | undefined {
    const isAsStored = this.#next === undefined && this.#copy === undefined;
    return isAsStored ? this.#known : undefined;
  }

  get isThere(): boolean {
    return (this.#next ?? this.#known) !== undefined;
  }

  get isChanged(): boolean {
    return this.#next !== undefined;
  }

  /** The call's user, if it differs from the stored user, or none is stored. */
  get login(): ShopUser | undefined {
    const next = this.#next;
    return next === undefined || isSameUser(this.#known, next) ? undefined : next;
  }

  /**
   * @returns whether it is the same user as before
   * @throws TypeError if the user has no valid ID
   */
  change(user: ShopUser): boolean {
    assertUser(user);
    const isSame = isSameUser(this.#next ?? this.#known, user);
    this.#next = structuredClone(user);
    this.#copy = undefined;
    return isSame;
  }

  /** Forgets a change that another login has replaced. @returns whether it was of this user */
  drop(user: ShopUser): boolean {
    const isWanted = user === this.#next;
    this.#next = undefined;
    return isWanted;
  }

  /** Takes the change to write; a login is no such change. */
  takeChange(): RecordChange | undefined {
    const known = this.#known;
    const next = this.#next;
    if (next === undefined || !isSameUser(known, next)) return undefined;
    this.#known = next;
    this.#next = undefined;
    return changeUser(known, next);
  }

  /** Starts again with the stored user. */
  adopt(known: ShopUser | undefined): void {
    this.#known = known;
    this.#copy = undefined;
  }

  /** Starts again without a user. */
  forget(): void {
    this.#next = undefined;
    this.adopt(undefined);
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
