import type { RevocationMark } from "../storage/revocations.ts";
import type { UserSessions } from "../storage/user-sessions.ts";

/**
 * Which ends of all sessions are earlier than a call: a later one of the user refuses the call's login.
 * Reading it throws StorageUnavailableError.
 */
export class SignInMark {
  readonly #users: UserSessions;
  #mark: RevocationMark | Promise<RevocationMark | undefined> | undefined;

  constructor(users: UserSessions) {
    this.#users = users;
  }

  /** Reads the mark from the storage, for a method that is declared to sign in; before anything is proved. */
  async read(): Promise<void> {
    this.#mark ??= await this.#users.lastRevocation();
  }

  /** Takes what this process knows of it, for a method that may sign in: this costs no command. */
  recall(): void {
    if (this.#mark !== undefined) return;
    const known = this.#users.recallRevocation();
    this.#mark = known instanceof Promise ? known.catch(() => undefined) : known;
  }

  /** The mark; absent if the login itself is to read it. */
  async get(): Promise<RevocationMark | undefined> {
    return this.#mark;
  }

  /** Moves the mark on, for ends that the call made itself. */
  moveTo(mark: RevocationMark | undefined): void {
    this.#mark = mark;
  }
}
