import { SessionEndedError, type LoadedSession } from "../../storage/sessions/session.ts";

/** The guest's session that the calls of one page begin together: the first write creates it, and the others join it. */
export class SharedGuest {
  readonly ownerKey: string;
  #creating: Promise<LoadedSession> | undefined;
  #isClosed = false;

  constructor(ownerKey: string) {
    this.ownerKey = ownerKey;
  }

  /**
   * @returns the session, and whether this call created it
   * @throws the error of `create`, and the next call then tries again; SessionEndedError after `close`
   */
  async begin(
    create: () => Promise<LoadedSession>,
  ): Promise<{ readonly session: LoadedSession; readonly isCreated: boolean }> {
    while (this.#creating !== undefined) {
      const session = await this.#creating.catch(() => undefined);
      if (session !== undefined) return { session, isCreated: false };
    }
    if (this.#isClosed) throw new SessionEndedError();
    const creating = create();
    this.#creating = creating;
    try {
      return { session: await creating, isCreated: true };
    } catch (error) {
      this.#creating = undefined;
      throw error;
    }
  }

  /**
   * Ends the joining, because a call logs in: the login replaces the session of the others. Calls that write after that
   * fail, as if they had the cookie from before the login.
   * @returns the session, if a call has created it
   */
  async close(): Promise<LoadedSession | undefined> {
    this.#isClosed = true;
    return this.#creating?.catch(() => undefined);
  }
}
