import { graceMilliseconds, type RenewedMark, type RetiredMark } from "./session-mark.ts";
import { createSessionId, type SessionRecord } from "./session-record.ts";
import {
  isMark,
  successorOf,
  toIndexEntry,
  type Session,
  type SessionRecords,
} from "./session-records.ts";
import { SessionEndedError, type UserSessions } from "./user-sessions.ts";

/**
 * Gives the sessions of one shop's users new IDs.
 *
 * The new record is stored first, then the user's index names both IDs, and the mark in the place of the old
 * record comes last: if a step fails, the old ID goes on, and the next attempt starts over.
 * All methods throw StorageUnavailableError.
 */
export class SessionMoves {
  readonly #shopId: number;
  readonly #records: SessionRecords;
  readonly #users: UserSessions;

  constructor(shopId: number, records: SessionRecords, users: UserSessions) {
    this.#shopId = shopId;
    this.#records = records;
    this.#users = users;
  }

  /**
   * Rotates the ID, which is due at every change of privilege. The old ID leads nowhere from then on.
   * @param proved the user has just authenticated again, so that the login is fresh
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
        // A parallel call may have renewed the ID: then the new one is rotated.
        const renewed = await this.#readRenewed(current);
        if (renewed === undefined) throw error;
        current = renewed;
      }
    }
  }

  /**
   * Renews the ID because it has been around for long. The old ID leads to the new one until
   * 30 seconds after the first use of that; used later, it ends the session.
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
        // A parallel call wrote between the copy and now: take its change along, try again.
        copied = found;
        const changed = await this.#records.change(session, (record) => {
          return { ...found.record, ...fields, id, lastSeenAt: record.lastSeenAt };
        });
        if (isMark(changed)) throw new SessionEndedError();
        session = changed;
      }
    } catch (error) {
      // Nobody was given the new ID. The index may name it: the next attempt finds that there is no record.
      await this.#records.remove(session).catch(() => undefined);
      throw error;
    }
  }

  /** Has the user's index name the new ID, and the old one as long as its record may be there. */
  async #enter(old: Session, created: Session): Promise<void> {
    const { user, handle } = assertUserSession(old);
    const entry = { ...toIndexEntry(this.#shopId, created), replaces: old.record.id };
    const entered = await this.#users.move(user.id, handle, old.record.id, entry);
    if (entered.id === entry.id) return;
    // The session is on its way to another ID already, in a parallel call, or in one that broke off.
    await this.#endBrokenOff(old, entered.id);
    const { id } = await this.#users.move(user.id, handle, entered.id, entry);
    if (id !== entry.id) throw new SessionEndedError();
  }

  /** @throws SessionEndedError if the other ID is, or may yet become, the session's */
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

/** Whether the call that made this record may still be running. */
function isRecent({ record: { idIssuedAt = 0 } }: Session): boolean {
  return Date.now() - idIssuedAt <= graceMilliseconds;
}
