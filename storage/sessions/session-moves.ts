import { graceMilliseconds, type RenewedMark, type RetiredMark } from "./session-mark.ts";
import { createSessionId, type SessionRecord } from "./session-record.ts";
import {
  isMark,
  successorOf,
  toIndexEntry,
  type Session,
  type SessionRecords,
} from "./session-records.ts";
import { SessionEndedError, type UserSessionIndex } from "./user-sessions.ts";

/**
 * Gives the sessions of one shop's users new IDs.
 *
 * It stores the new record first, then both IDs in the user's index, and last the mark that replaces the old record.
 * If a step fails, the old ID stays valid, and the next attempt starts again.
 * All methods throw StorageUnavailableError.
 */
export class SessionMoves {
  readonly #shopId: number;
  readonly #records: SessionRecords;
  readonly #users: UserSessionIndex;

  constructor(shopId: number, records: SessionRecords, users: UserSessionIndex) {
    this.#shopId = shopId;
    this.#records = records;
    this.#users = users;
  }

  /**
   * Rotates the ID at a change of privilege. From then on, the old ID resolves to no session.
   * @param proved whether the user has just authenticated again, so that the login is fresh
   * @throws SessionEndedError if the session ended or moved in the meantime
   */
  async rotate(old: Session, { proved }: { readonly proved: boolean }): Promise<Session> {
    const now = Date.now();
    const fields = {
      idIssuedAt: now,
      firstUsedAt: undefined,
      ...(proved && { authenticatedAt: now }),
    };
    for (let current = old; ;) {
      try {
        return await this.#move(current, fields, (_, to) => ({ mark: "retired", for: to }));
      } catch (error) {
        if (!(error instanceof SessionEndedError)) throw error;
        // If a parallel call has renewed the ID, rotate the new one.
        const renewed = await this.#readRenewed(current);
        if (renewed === undefined) throw error;
        current = renewed;
      }
    }
  }

  /**
   * Renews an old ID. The old ID resolves to the new one until 30 seconds after the first use of the new one. Later
   * use of the old ID ends the session.
   * @throws SessionEndedError if the session ended or moved in the meantime
   */
  async renew(old: Session): Promise<Session> {
    const { user } = assertUserSession(old);
    const now = Date.now();
    const fields = { idIssuedAt: now, lastSeenAt: now, firstUsedAt: 0 };
    return this.#move(old, fields, ({ handle, firstUsedAt }, to) => {
      return { mark: "renewed", to, at: now, handle, userId: user.id, firstUsedAt };
    });
  }

  async #move(
    old: Session,
    fields: Partial<SessionRecord>,
    toMark: (record: SessionRecord, to: string) => RenewedMark | RetiredMark,
  ): Promise<Session> {
    const { user } = assertUserSession(old);
    const id = createSessionId(user);
    let session = await this.#records.create({ ...old.record, ...fields, id });
    try {
      await this.#enter(old, session);
      for (let copied = old; ;) {
        const found = await this.#records.replace(copied, toMark(copied.record, id));
        if (found !== undefined && successorOf(found) === id) return session;
        if (found === undefined || isMark(found)) throw new SessionEndedError();
        // A parallel call has written since the copy: copy its change, and try again.
        copied = found;
        const changed = await this.#records.change(session, (record) => {
          return { ...found.record, ...fields, id, lastSeenAt: record.lastSeenAt };
        });
        if (isMark(changed)) throw new SessionEndedError();
        session = changed;
      }
    } catch (error) {
      // No client received the new ID. If the index names it, the next attempt finds no record.
      await this.#records.remove(session).catch(() => undefined);
      throw error;
    }
  }

  /** Writes the new ID into the user's index, and the old one as long as its record can exist. */
  async #enter(old: Session, created: Session): Promise<void> {
    const { user, handle } = assertUserSession(old);
    const entry = { ...toIndexEntry(this.#shopId, created), replaces: old.record.id };
    const entered = await this.#users.replaceId(user.id, handle, old.record.id, entry);
    if (entered.id === entry.id) return;
    // A parallel call, or one that failed midway, is moving the session to another ID.
    await this.#endBrokenOff(old, entered.id);
    const { id } = await this.#users.replaceId(user.id, handle, entered.id, entry);
    if (id !== entry.id) throw new SessionEndedError();
  }

  /** @throws SessionEndedError if the other ID is the session's, or can still become it */
  async #endBrokenOff(old: Session, other: string): Promise<void> {
    const [self, found] = await Promise.all([
      this.#records.read(old.record.id),
      this.#records.read(other),
    ]);
    if (self === undefined || isMark(self)) throw new SessionEndedError();
    if (found === undefined) return;
    if (isMark(found) || isRecent(found)) throw new SessionEndedError();
    await this.#records.end(found);
  }

  async #readRenewed({ record }: Session): Promise<Session | undefined> {
    const found = await this.#records.read(record.id);
    if (found === undefined || !isMark(found) || found.mark !== "renewed") return undefined;
    const next = await this.#records.read(found.to);
    return next === undefined || isMark(next) ? undefined : next;
  }
}

// --- Internal helpers ---

function assertUserSession({ record: { user, handle } }: Session) {
  if (user === undefined) throw new TypeError("Only the session of a user gets a new ID");
  return { user, handle };
}

/** Whether the call that created this record can still be running. */
function isRecent({ record: { idIssuedAt = 0 } }: Session): boolean {
  return Date.now() - idIssuedAt <= graceMilliseconds;
}
