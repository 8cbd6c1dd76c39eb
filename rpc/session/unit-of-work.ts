import { randomUUID } from "uncrypto";
import { describeError } from "../../shared/log.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { RecordChange, Session } from "../../storage/sessions/session-records.ts";
import { SessionEndedError } from "../../storage/sessions/user-sessions.ts";
import type { ShopServices } from "../shop-services.ts";
import type { Call } from "../call.ts";
import { extendGuestLists } from "../lists/visitor-lists.ts";
import { chain, noteFirstUse } from "./record-changes.ts";

/**
 * The unit of work of one call's session: the record as it is stored, and the changes that are still to be
 * written. Methods throw StorageUnavailableError, and SessionEndedError if the session ended or moved while
 * the call ran.
 */
export class SessionWork {
  readonly #backend: ShopServices;
  readonly #call: Call;
  #session: Session | undefined;
  #changes: RecordChange[] = [];
  #extended = false;
  // Created on access, because most calls need none of them.
  #lastWrite: Promise<void> | undefined;
  #guestKey: string | undefined;

  constructor(backend: ShopServices, session: Session | undefined, call: Call) {
    this.#backend = backend;
    this.#session = session;
    this.#call = call;
  }

  /** The current session, if there is one. */
  get current(): Session | undefined {
    return this.#session;
  }

  /** The record with the changes of this call. */
  get preview(): SessionRecord {
    return chain(this.#changes)(this.#session?.record ?? blankRecord);
  }

  /** Whether this call extended the session's life. */
  get extended(): boolean {
    return this.#extended;
  }

  get hasChanges(): boolean {
    return this.#changes.length > 0;
  }

  /** Whether the call has neither written nor noted a change. */
  get isUntouched(): boolean {
    return this.#changes.length === 0 && this.#lastWrite === undefined;
  }

  /** Whether to extend the session, or to renew its ID. */
  get isUpkeepDue(): boolean {
    const { sessions } = this.#backend;
    const session = this.#session;
    if (session === undefined) return false;
    return sessions.isExtensionDue(session) || sessions.isRenewalDue(session);
  }

  /** The owner key of a guest's session, if this call begins one. */
  get ownerKey(): string {
    this.#guestKey ??= randomUUID();
    return this.#guestKey;
  }

  /** The backend for writes: throws after a timeout, because the call must not write any more. */
  get writable(): ShopServices {
    this.#call.deadline.assertInTime();
    return this.#backend;
  }

  /** Notes changes for the end of the call. */
  note(...changes: readonly RecordChange[]): void {
    this.#changes.push(...changes);
  }

  /** Notes a change, unless it throws. */
  tryNote(change: RecordChange): void {
    change(this.preview);
    this.#changes = [...this.#changes, change];
  }

  /** Writes all that was noted. */
  writeNoted(): Promise<void> {
    return this.write(() => {
      const changes = this.#changes;
      this.#changes = [];
      return changes;
    });
  }

  /** One write at a time: two parallel writes of one call would begin two sessions. */
  write(takeChanges: () => readonly RecordChange[]): Promise<void> {
    const last = this.#lastWrite;
    const write =
      last === undefined
        ? this.#writeNow(takeChanges())
        : last.then(() => this.#writeNow(takeChanges()));
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }

  /** Renews the ID if that is due. The changes are stored already, so a failure doesn't fail the call. */
  async renewIfDue(): Promise<void> {
    const session = this.#session;
    const { sessions } = this.#backend;
    if (session === undefined || !sessions.isRenewalDue(session)) return;
    try {
      this.#session = await this.writable.sessions.renew(session);
    } catch (error) {
      if (error instanceof SessionEndedError) {
        // Another call is giving the session its ID: this one gives the client none.
        this.#extended = false;
        return;
      }
      this.#call.log.warn("A session's ID was not renewed; a later call tries again", {
        error: describeError(error),
      });
    }
  }

  adopt(session: Session | undefined): void {
    this.#session = session;
  }

  /** Forgets the session and its pending changes. */
  forget(): void {
    this.#session = undefined;
    this.#changes = [];
    this.#guestKey = undefined;
  }

  async #writeNow(changes: readonly RecordChange[]): Promise<void> {
    const { sessions } = this.writable;
    const session = this.#session;
    if (session === undefined) {
      if (changes.length > 0)
        this.#session = await sessions.createGuest(this.ownerKey, chain(changes));
      return;
    }
    const extend = sessions.isExtensionDue(session);
    if (changes.length === 0 && !extend) return;
    try {
      if (extend) await extendGuestLists(this.#backend, session);
      this.#session = await sessions.update(session, chain(changes));
      this.#extended ||= extend;
    } catch (error) {
      // The next call tries the upkeep again, and the data that this call read was valid when it began.
      const isUpkeep = changes.every((change) => change === noteFirstUse);
      const isTolerable = !extend || error instanceof SessionEndedError;
      if (!isUpkeep || !isTolerable) throw error;
    }
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
