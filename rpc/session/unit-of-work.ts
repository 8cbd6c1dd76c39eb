import { describeError } from "../../shared/log.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import { SessionEndedError, type RecordChange } from "../../storage/sessions/session.ts";
import { extendGuestLists } from "../lists/visitor-lists.ts";
import type { CallSession } from "./call-session.ts";
import { bindUser } from "./login.ts";
import { blankRecord, chain, changeUser, isSameUser } from "./record-changes.ts";
import type { SessionTokenStore } from "./session-tokens.ts";

/**
 * The changes that one call makes to its session's record, and their write. Methods throw StorageUnavailableError,
 * and SessionEndedError if the session ended or moved while the call ran.
 */
export class UnitOfWork {
  /** Whether this call extended the session's lifetime. */
  extended = false;
  readonly #session: CallSession;
  #changes: readonly RecordChange[] = [];
  #lastWrite: Promise<void> | undefined;
  #ownerKey: string | undefined;

  constructor(session: CallSession) {
    this.#session = session;
  }

  /** The record with the changes of this call. */
  get preview(): SessionRecord {
    return chain(this.#changes)(this.#session.current?.record ?? blankRecord);
  }

  get hasChanges(): boolean {
    return this.#changes.length > 0;
  }

  /** Whether the call has written or noted a change. */
  get isTouched(): boolean {
    return this.hasChanges || this.#lastWrite !== undefined;
  }

  /** The owner key of the session, or of the guest's session that this call can begin. */
  get ownerKey(): string {
    const { current, sharedGuest, services } = this.#session;
    if (current !== undefined) return current.record.ownerKey;
    this.#ownerKey ??= sharedGuest?.ownerKey ?? services.random.uuid();
    return this.#ownerKey;
  }

  /** Notes changes for the end of the call. */
  note(...changes: readonly RecordChange[]): void {
    this.#changes = [...this.#changes, ...changes];
  }

  /** Notes a change, unless it throws. */
  tryNote(change: RecordChange): void {
    change(this.preview);
    this.note(change);
  }

  /** Writes one change now. It begins a session if there is none. */
  write(change: RecordChange): Promise<void> {
    return this.#enqueue(() => [change]);
  }

  writeNoted(): Promise<void> {
    return this.#enqueue(() => {
      const changes = this.#changes;
      this.#changes = [];
      return changes;
    });
  }

  /** Writes all changes of the call, and extends the session or renews its ID if that is due. */
  async commit(tokens: SessionTokenStore | undefined): Promise<void> {
    const session = this.#session;
    const known = session.storedUser;
    const user = session.takeUser();
    const isLogin = user !== undefined && !isSameUser(known, user);
    if (isLogin) await bindUser(session, user);
    if (tokens !== undefined) this.note(...(await tokens.toChanges()));
    if (user !== undefined && !isLogin) {
      this.note(changeUser(known, user));
      session.storedUser = user;
    }
    const { current, lastChange } = session;
    const isLastDue = current !== undefined || this.hasChanges;
    if (lastChange !== undefined && isLastDue) this.note(lastChange);
    await this.writeNoted();
    tokens?.reportLoss();
    await this.#renewIfDue();
  }

  /** Forgets the noted changes, because the session has ended. */
  clear(): void {
    this.#changes = [];
    this.#ownerKey = undefined;
  }

  /** One write at a time: two parallel writes of one call would begin two sessions. */
  #enqueue(takeChanges: () => readonly RecordChange[]): Promise<void> {
    const last = this.#lastWrite;
    const write =
      last === undefined ? this.#write(takeChanges()) : last.then(() => this.#write(takeChanges()));
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }

  async #write(changes: readonly RecordChange[]): Promise<void> {
    const { sessions } = this.#session.maintainable;
    const { current } = this.#session;
    if (current === undefined) {
      if (changes.length === 0) return;
      this.#session.assertWritable();
      const create = () => sessions.createGuest(this.ownerKey, chain(changes));
      const begun = await this.#session.sharedGuest?.begin(create);
      this.#session.current = begun?.session ?? (await create());
      return begun?.isCreated === false ? this.#write(changes) : undefined;
    }
    const isExtended = sessions.isExtensionDue(current);
    if (changes.length === 0 && !isExtended) return;
    try {
      if (isExtended) {
        await extendGuestLists(this.#session.services, current);
        await this.#session.services.grants?.extend(current);
      }
      this.#session.current = await sessions.update(current, chain(changes));
      this.extended ||= isExtended;
    } catch (error) {
      // The next call tries the upkeep again, and the data that this call read was valid when it began.
      const isUpkeep = changes.every((change) => change === sessions.noteFirstUse);
      const isTolerable = !isExtended || error instanceof SessionEndedError;
      if (!isUpkeep || !isTolerable) throw error;
    }
  }

  /** Renews the ID if that is due. The changes are stored already, so a failure doesn't fail the call. */
  async #renewIfDue(): Promise<void> {
    const { current, services } = this.#session;
    if (current === undefined || !services.sessions.isRenewalDue(current)) return;
    try {
      this.#session.current = await this.#session.maintainable.sessions.renew(current);
    } catch (error) {
      if (error instanceof SessionEndedError) {
        // Another call is giving the session its new ID, so this call sends the client none.
        this.extended = false;
        return;
      }
      this.#session.call.log.warn("A session's ID was not renewed; a later call tries again", {
        error: describeError(error),
      });
    }
  }
}
