import type { RevocationMark } from "./revocations.ts";
import {
  createHandle,
  createSessionId,
  inheritedFields,
  type ListKind,
  type SessionRecord,
  type ShopUser,
} from "./session-record.ts";
import {
  isMark,
  successorOf,
  toIndexEntry,
  type Session,
  type SessionRecords,
} from "./session-records.ts";
import { StorageUnavailableError } from "../documents/unavailable.ts";
import type { PendingMerge } from "./user-index.ts";
import type { SessionLimit } from "./session-limit.ts";
import type { UserSessionIndex } from "./user-sessions.ts";

/** A login: the user, and the properties of the new session. */
export interface Login {
  readonly user: ShopUser;
  /** The mark of the last end when the login began, if it was read: a later end of this user's sessions fails it. */
  readonly since?: RevocationMark | undefined;
  readonly userAgent?: string | undefined;
  readonly transport?: string | undefined;
  readonly transient?: boolean | undefined;
  /** Other active sessions of the request: the login ends them, too. */
  readonly others?: readonly Session[] | undefined;
}

/** A session after its login, and the pending merges of guest lists. */
export interface BoundSession {
  readonly session: Session;
  readonly pendingMerges: readonly PendingMerge[];
}

/** Begins the sessions of one shop's users. All methods throw StorageUnavailableError. */
export class SessionLogins {
  readonly #shopId: number;
  readonly #records: SessionRecords;
  readonly #users: UserSessionIndex;
  readonly #limit: SessionLimit;

  constructor(
    shopId: number,
    records: SessionRecords,
    users: UserSessionIndex,
    limit: SessionLimit,
  ) {
    this.#shopId = shopId;
    this.#records = records;
    this.#users = users;
    this.#limit = limit;
  }

  /**
   * Creates a session that is bound to a user, and replaces the old session, if there is one.
   *
   * It stores the new record first. Last, it replaces the old record by a mark, if that record is still as it was
   * copied. If a step fails, the old session stays active.
   * @throws SessionEndedError if all of the user's sessions were ended since the login began
   * @throws SessionLimitError if the user may have no more sessions
   */
  async bind(old: Session | undefined, login: Login): Promise<BoundSession> {
    const { user, others = [] } = login;
    const since = login.since ?? (await this.#users.lastRevocation());
    const left = old === undefined ? [] : toPendingMerges(old, this.#shopId);
    const created = await this.#create(old, login, left.length > 0);
    try {
      const noted = await this.#enter(old, { ...login, since }, created, left);
      for (const other of others) await this.#retire(other, created);
      return old === undefined
        ? { session: created, pendingMerges: noted }
        : await this.#replace(old, created, user, noted);
    } catch (error) {
      await this.#abandon(created, user, error);
      throw error;
    }
  }

  async #create(old: Session | undefined, login: Login, mergePending: boolean): Promise<Session> {
    const { user, transient } = login;
    const handle = createHandle();
    return this.#records.create({
      id: createSessionId(user),
      createdAt: Date.now(),
      ...(await this.#records.currentGeneration()),
      handle,
      ownerKey: handle,
      user,
      customData: {},
      ...(old && inherit(old.record, user)),
      transient,
      ...(mergePending && { mergePending }),
    });
  }

  /** @returns the user's pending merges */
  #enter(
    old: Session | undefined,
    { user, userAgent, transport, since }: Login & { readonly since: RevocationMark },
    created: Session,
    pendingMerges: readonly PendingMerge[],
  ): Promise<readonly PendingMerge[]> {
    const entry = { ...toIndexEntry(this.#shopId, created), userAgent, transport };
    return this.#users.add(user.id, entry, {
      handle: created.record.handle,
      replaces: old?.record.handle,
      since,
      limit: this.#limit,
      pendingMerges,
    });
  }

  /** Retires the old session after its data is in the new one. */
  async #replace(
    old: Session,
    created: Session,
    user: ShopUser,
    noted: readonly PendingMerge[],
  ): Promise<BoundSession> {
    let session = created;
    let pendingMerges = noted;
    await this.#retire(old, created, async (changed) => {
      const inherited = inherit(changed.record, user);
      if (inherited !== undefined) {
        const found = await this.#records.change(session, (record) => ({
          ...record,
          ...inherited,
        }));
        if (!isMark(found)) session = found;
      }
      pendingMerges = await this.#users.addPendingMerges(
        user.id,
        toPendingMerges(changed, this.#shopId),
      );
    });
    return { session, pendingMerges };
  }

  /**
   * Replaces a session's record by a mark.
   * @param copy copies the change of a parallel call to the new session
   */
  async #retire(
    old: Session,
    created: Session,
    copy: (changed: Session) => Promise<void> = async () => {},
  ): Promise<void> {
    for (let copied = old; ;) {
      let found = await this.#records.replace(copied, { mark: "retired", for: created.record.id });
      while (found !== undefined && isMark(found) && found.mark === "renewed") {
        found = await this.#records.read(found.to);
      }
      if (found === undefined) break;
      if (isMark(found)) {
        // Another call gave the session a new ID: then the index names that, or the other call sees to it.
        if (found.mark === "retired" && successorOf(found) !== created.record.id) return;
        break;
      }
      copied = found;
      await copy(found);
    }
    const { user, handle } = old.record;
    // The session has ended. An entry without a record gives access to nothing, and expires with the session.
    if (user !== undefined) await this.#users.remove(user.id, handle).catch(() => undefined);
  }

  /** Removes a session that no client received. */
  async #abandon(created: Session, user: ShopUser, error: unknown): Promise<void> {
    await this.#records.remove(created).catch(() => undefined);
    if (!(error instanceof StorageUnavailableError)) return;
    await this.#users.remove(user.id, created.record.handle).catch(() => undefined);
  }
}

// --- Internal helpers ---

/** The fields that a login copies from the old record. A user never inherits them from another user. */
function inherit(old: SessionRecord, user: ShopUser): Partial<SessionRecord> | undefined {
  if (old.user !== undefined && String(old.user.id) !== String(user.id)) return undefined;
  return Object.fromEntries(inheritedFields.map((field) => [field, old[field]]));
}

/** The merges of a guest's basket and wishlist; a user's session has none. */
function toPendingMerges({ record, expiresAt }: Session, shopId: number): PendingMerge[] {
  if (record.user !== undefined) return [];
  return Object.entries(record.belongings ?? {}).map(([belonging, key]) => {
    return { shopId, belonging: belonging as ListKind, key, expiresAt };
  });
}
