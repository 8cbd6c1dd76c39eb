import { randomUUID } from "uncrypto";
import type { Documents } from "../storage/documents.ts";
import { describeError, type Logger } from "../storage/log.ts";
import {
  isUserId,
  type Belonging,
  type SessionCustomData,
  type SessionRecord,
  type ShopUser,
} from "../storage/session-record.ts";
import type { RecordChange, Session } from "../storage/sessions.ts";
import { SessionEndedError, type PendingMerge } from "../storage/user-sessions.ts";
import type { ShopBackend } from "./backend.ts";
import { emptyBasket } from "./basket.ts";
import { completeMerges, type MergeReport } from "./merge.ts";
import {
  changeOwned,
  DocumentMovedError,
  endOwned,
  extendOwned,
  userOwnerKey,
  type Owned,
  type Owner,
} from "./owned.ts";
import { rebase } from "./rebase.ts";
import { emptyWishlist } from "./wishlist.ts";

/** Who wants to know when a session is bound to a user, or a user's ended. */
export interface SessionObserver {
  afterLogin(user: ShopUser, merge: MergeReport): Promise<void>;
  afterLogout(user: ShopUser): Promise<void>;
}

/** How a new login is kept. */
export interface LoginOptions {
  /** `false` ends the cookie with the browser. @default true */
  readonly rememberMe?: boolean | undefined;
}

/**
 * The session of one call: what was loaded, what the call changes, and what stands at its end.
 *
 * Changes are collected, and written in one write by `commit`; what must not wait (login, logout) is
 * done at once. Methods throw StorageUnavailableError, and SessionEndedError where the session ended
 * or moved while the call ran.
 */
export class CallSession {
  readonly #backend: ShopBackend;
  readonly #observer: SessionObserver;
  readonly #userAgent: string | undefined;
  readonly #log: Logger;
  /** Ends of the user's sessions up to here do not concern a login of this call. */
  #startedAt = Date.now();
  #session: Session | undefined;
  #changes: RecordChange[] = [];
  #guestKey: string = randomUUID();
  #ended = false;
  #extended = false;
  #lastWrite: Promise<void> = Promise.resolve();
  /** The user as the call last knew it stored, and as it is to be. Methods get copies, to change at will. */
  #knownUser: ShopUser | undefined;
  #nextUser: ShopUser | undefined;
  #userCopy: ShopUser | undefined;
  #customDataCopy: Partial<SessionCustomData> | undefined;

  constructor(
    backend: ShopBackend,
    session: Session | undefined,
    observer: SessionObserver,
    caller: { readonly userAgent: string | undefined; readonly log: Logger },
  ) {
    this.#backend = backend;
    this.#observer = observer;
    this.#userAgent = caller.userAgent?.slice(0, 256);
    this.#log = caller.log;
    this.#adopt(session);
  }

  /** The id of the session as it stands, if there is one. */
  get id(): string | undefined {
    return this.#session?.record.id;
  }

  /** The session as it stands, if there is one. */
  get current(): Session | undefined {
    return this.#session;
  }

  /** Whether this call ended the visitor's session and began none after it. */
  get ended(): boolean {
    return this.#ended && this.#session === undefined;
  }

  /** Whether this call extended the session's life. */
  get extended(): boolean {
    return this.#extended;
  }

  /** Who is logged in, with the changes of this call. */
  get user(): ShopUser | undefined {
    this.#userCopy ??= structuredClone(this.#nextUser ?? this.#knownUser);
    return this.#userCopy;
  }

  /** The session's custom data, with the changes of this call. */
  get customData(): Readonly<Partial<SessionCustomData>> {
    const stored = this.#session?.record ?? blankRecord;
    const { customData } = this.#changes.reduce((record, change) => change(record), stored);
    this.#customDataCopy ??= structuredClone(customData) as Partial<SessionCustomData>;
    return this.#customDataCopy;
  }

  /**
   * Changes the user at `commit`; fields that parallel calls change stay changed.
   * Another user than before, or the first, is a login: the session is bound to them, under a new id.
   * @throws TypeError where the user has no valid id
   */
  updateUser(user: ShopUser): void {
    assertUser(user);
    this.#nextUser = structuredClone(user);
    this.#userCopy = undefined;
  }

  /** Sets fields of the custom data at `commit`; `undefined` removes one. */
  updateCustomData(patch: Partial<SessionCustomData>): void {
    const fields = Object.entries(structuredClone(patch));
    const patched = new Set(fields.map(([key]) => key));
    this.#customDataCopy = undefined;
    this.#changes.push((record) => {
      const kept = Object.entries(record.customData).filter(([key]) => !patched.has(key));
      const set = fields.filter(([, value]) => value !== undefined);
      return { ...record, customData: Object.fromEntries([...kept, ...set]) };
    });
  }

  /** The key of the visitor's basket or wishlist, where it was begun. */
  peek(belonging: Belonging): string | undefined {
    const record = this.#session?.record;
    if (record?.user !== undefined) return userOwnerKey(this.#backend.shop.shopId, record.user.id);
    return record?.belongings?.[belonging];
  }

  /** The key of the visitor's basket or wishlist; a guest's is begun with it, at `commit`. */
  begin(belonging: Belonging): string {
    const begun = this.peek(belonging);
    if (begun !== undefined) return begun;
    this.#changes.push((record) => withBelonging(record, belonging, record.ownerKey));
    return this.#session?.record.ownerKey ?? this.#guestKey;
  }

  /**
   * Changes the visitor's basket or wishlist. A guest's is noted in the session before it is written:
   * a login that comes between finds the note, and an ended session stops the write.
   * @returns its key, and what it is now
   */
  async change<T extends Owned>(
    belonging: Belonging,
    documents: Documents<T>,
    empty: T,
    rule: (current: T) => T,
  ): Promise<{ readonly key: string; readonly value: T }> {
    const owner = await this.#own(belonging);
    try {
      return { key: owner.key, value: await changeOwned(documents, owner, empty, rule) };
    } catch (error) {
      if (!(error instanceof DocumentMovedError)) throw error;
    }
    // It is the user's now, and so is the session; or else a login broke off and left the guest here.
    await this.#beginAnew(belonging, owner.key);
    const next = await this.#own(belonging);
    return { key: next.key, value: await changeOwned(documents, next, empty, rule) };
  }

  /** Binds the session to a user, under a new id, and merges what the guest left. */
  async bind(user: ShopUser, options: LoginOptions = {}): Promise<MergeReport> {
    assertUser(user);
    this.#nextUser = undefined;
    if (this.#session !== undefined && this.#changes.length > 0) {
      await this.#write(() => this.#takeChanges());
    }
    const { session, pendingMerges } = await this.#backend.sessions.bind(this.#session, {
      user: structuredClone(user),
      startedAt: this.#startedAt,
      userAgent: this.#userAgent,
      transient: options.rememberMe === false ? true : undefined,
    });
    this.#adopt(session);
    const merge = await this.#complete(user, pendingMerges);
    await this.#observer.afterLogin(user, merge);
    return merge;
  }

  /** Gives the user's session a new id; a guest's keeps its own. */
  async rotate(): Promise<void> {
    const session = this.#session;
    if (session?.record.user === undefined) return;
    this.#adopt(await this.#backend.sessions.rotate(session));
  }

  /** Ends the session, and with it what belongs to a guest. */
  async destroy(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return this.#forget();
    const { baskets, wishlists, sessions } = this.#backend;
    const { user, belongings = {} } = await sessions.end(session);
    this.#forget();
    if (user !== undefined) return this.#observer.afterLogout(user);
    await Promise.all([
      belongings.basket && endOwned(baskets, belongings.basket, emptyBasket),
      belongings.wishlist && endOwned(wishlists, belongings.wishlist, emptyWishlist),
    ]);
  }

  /** Ends a user's sessions in the whole realm, but for those to keep. @returns how many ended */
  async destroyAllOf(userId: string | number, sessionsToKeep: readonly string[]): Promise<number> {
    const results = await Promise.all(
      this.#backend.realm.users.map((users) => users.endAll(userId, sessionsToKeep)),
    );
    this.#startedAt = Math.max(this.#startedAt, ...results.map(({ endedAt }) => endedAt));
    const ended = results.flatMap((result) => result.ended);
    if (this.id !== undefined && ended.includes(this.id)) this.#forget();
    return ended.length;
  }

  /** Ends one of a user's sessions. @returns whether there was one of this handle */
  async destroyByHandle(userId: string | number, handle: string): Promise<boolean> {
    const ended = await Promise.all(
      this.#backend.realm.users.map((users) => users.endOne(userId, handle)),
    );
    if (this.id !== undefined && ended.includes(this.id)) this.#forget();
    return ended.some((id) => id !== undefined);
  }

  /** Does what a login had to put off. */
  async completePendingMerge(): Promise<void> {
    const { user, mergePending } = this.#session?.record ?? blankRecord;
    if (user === undefined || !mergePending) return;
    const index = await this.#backend.sessions.users.read(user.id);
    await this.#complete(user, index.value?.pendingMerges ?? []);
  }

  /** Writes what the call changed, and extends the session's life where that is due. */
  async commit(): Promise<void> {
    const next = this.#nextUser;
    if (next !== undefined && !isSameUser(this.#knownUser, next)) await this.bind(next);
    await this.#write(() => this.#takeChanges());
  }

  /** One write at a time: two at once from one call would begin two sessions. */
  #write(takeChanges: () => readonly RecordChange[]): Promise<void> {
    const write = this.#lastWrite.then(() => this.#writeNow(takeChanges()));
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }

  async #writeNow(changes: readonly RecordChange[]): Promise<void> {
    const { sessions } = this.#backend;
    const session = this.#session;
    const apply: RecordChange = (record) => changes.reduce((next, change) => change(next), record);
    if (session === undefined) {
      if (changes.length > 0) this.#session = await sessions.createGuest(this.#guestKey, apply);
      return;
    }
    const extend = sessions.isExtensionDue(session);
    if (changes.length === 0 && !extend) return;
    try {
      if (extend) await this.#extendBelongings(session);
      this.#session = await sessions.update(session, apply);
      this.#extended ||= extend;
    } catch (error) {
      // Where only the lifetime was to be written, what the call read was true when it began.
      if (changes.length > 0 || !(error instanceof SessionEndedError)) throw error;
    }
  }

  /** What is to be written now; another user than before is `commit`'s concern. */
  #takeChanges(): RecordChange[] {
    const changes = this.#changes;
    this.#changes = [];
    const known = this.#knownUser;
    const next = this.#nextUser;
    if (next === undefined || !isSameUser(known, next)) return changes;
    this.#knownUser = next;
    this.#nextUser = undefined;
    return [...changes, (record) => ({ ...record, user: rebase(known, next, record.user) })];
  }

  /** Merges what guests left; once that is done, the session need not remember it any more. */
  async #complete(user: ShopUser, pending: readonly PendingMerge[]): Promise<MergeReport> {
    const report = await completeMerges(this.#backend, user.id, pending, this.#log);
    if (report.status === "pending" || !this.#session?.record.mergePending) return report;
    try {
      this.#session = await this.#backend.sessions.update(this.#session, owingNothing);
    } catch (error) {
      // Then the next call looks again, and finds nothing to do.
      this.#log.warn("A session still owes a merge that is done", { error: describeError(error) });
    }
    return report;
  }

  async #own(belonging: Belonging): Promise<Owner> {
    if (this.peek(belonging) === undefined) {
      // On its own: what else the call changes waits for its end, for it may fail.
      await this.#write(() => [(record) => withBelonging(record, belonging, record.ownerKey)]);
    }
    const session = this.#session as Session;
    const isGuest = session.record.user === undefined;
    return {
      key: this.begin(belonging),
      expiresAt: isGuest ? this.#belongingsEnd(session) : undefined,
    };
  }

  /** @throws SessionEndedError where the session has gone the way of what it had */
  async #beginAnew(belonging: Belonging, movedKey: string): Promise<void> {
    const key = randomUUID();
    const anew: RecordChange = (record) => ({
      ...record,
      belongings: {
        ...record.belongings,
        ...(record.belongings?.[belonging] === movedKey && { [belonging]: key }),
      },
    });
    await this.#write(() => [anew]);
  }

  /** A guest's basket and wishlist must outlive the session, so they are extended before it. */
  async #extendBelongings(session: Session): Promise<void> {
    const { user, belongings = {} } = session.record;
    if (user !== undefined) return;
    const { baskets, wishlists } = this.#backend;
    const end = this.#belongingsEnd(session);
    await Promise.all([
      belongings.basket && extendOwned(baskets, belongings.basket, end),
      belongings.wishlist && extendOwned(wishlists, belongings.wishlist, end),
    ]);
  }

  /** Not before the session's own end, also where a parallel call extends that right now. */
  #belongingsEnd(session: Session): number {
    return this.#backend.sessions.extendedEnd(session) + 60_000;
  }

  #adopt(session: Session | undefined): void {
    this.#session = session;
    this.#knownUser = session?.record.user;
    this.#userCopy = undefined;
    this.#customDataCopy = undefined;
  }

  #forget(): void {
    this.#changes = [];
    this.#nextUser = undefined;
    this.#adopt(undefined);
    this.#guestKey = randomUUID();
    this.#ended = true;
  }
}

// --- Internal helpers ---

const blankRecord: SessionRecord = {
  id: "",
  createdAt: 0,
  lastSeenAt: 0,
  handle: "",
  ownerKey: "",
  customData: {},
};

function owingNothing(record: SessionRecord): SessionRecord {
  return { ...record, mergePending: undefined };
}

/** Notes what a guest begins; where it was begun before, it stays that. */
function withBelonging(record: SessionRecord, belonging: Belonging, key: string): SessionRecord {
  return { ...record, belongings: { [belonging]: key, ...record.belongings } };
}

function isSameUser(a: ShopUser | undefined, b: ShopUser): boolean {
  return a !== undefined && String(a.id) === String(b.id);
}

function assertUser(user: ShopUser): void {
  if (!isUserId(user.id)) {
    throw new TypeError("A user's id is a positive integer or a string of 1 to 64 characters");
  }
}
