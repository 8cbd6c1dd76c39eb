import { randomUUID } from "uncrypto";
import type { Session } from "../../storage/sessions/session.ts";

/** The guest's session that the calls of one page begin together: the first write creates it, and the others join it. */
export class SharedGuest {
  readonly ownerKey: string = randomUUID();
  #creating: Promise<Session> | undefined;

  /**
   * @returns the session, and whether this call created it
   * @throws the error of `create`; the next call then tries again
   */
  async begin(
    create: () => Promise<Session>,
  ): Promise<{ readonly session: Session; readonly isCreated: boolean }> {
    while (this.#creating !== undefined) {
      const session = await this.#creating.catch(() => undefined);
      if (session !== undefined) return { session, isCreated: false };
    }
    const creating = create();
    this.#creating = creating;
    try {
      return { session: await creating, isCreated: true };
    } catch (error) {
      this.#creating = undefined;
      throw error;
    }
  }
}
