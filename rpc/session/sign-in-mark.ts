import type { RevocationMark } from "../../storage/sessions/revocations.ts";
import type { UserSessionIndex } from "../../storage/sessions/user-sessions.ts";

/**
 * The last revocation of sessions before a call. If a later revocation ends the user's sessions, the login of the
 * call fails. Reading the mark throws StorageUnavailableError.
 */
export class SignInMark {
  readonly #users: UserSessionIndex;
  #mark: RevocationMark | Promise<RevocationMark | undefined> | undefined;

  constructor(users: UserSessionIndex) {
    this.#users = users;
  }

  /** Reads the mark from the storage, for a method with `signsIn`, before it authenticates the caller. */
  async read(): Promise<void> {
    this.#mark ??= await this.#users.lastRevocation();
  }

  /** Uses the mark that this process has cached, for other methods: this costs no command. */
  recall(): void {
    if (this.#mark !== undefined) return;
    const known = this.#users.recallRevocation();
    this.#mark = known instanceof Promise ? known.catch(() => undefined) : known;
  }

  /** The mark; `undefined` if the login has to read it. */
  async get(): Promise<RevocationMark | undefined> {
    return this.#mark;
  }

  /** Advances the mark after a revocation by the call itself. */
  moveTo(mark: RevocationMark | undefined): void {
    this.#mark = mark;
  }
}
