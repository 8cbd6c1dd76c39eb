import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { RecordChange, LoadedSession } from "../../storage/sessions/session.ts";
import type { Call } from "../call.ts";
import type { ShopServices } from "../shop-services.ts";
import { blankRecord, chain } from "./record-changes.ts";
import type { SharedGuest } from "./shared-guest.ts";
import { updateSession } from "./update-session.ts";

/**
 * The stored session of a call, the changes that the call makes to its record, and their write. Methods throw
 * StorageUnavailableError, and SessionEndedError if the session ended or moved while the call ran.
 */
export class UnitOfWork {
  readonly call: Call;
  /** The stored session, if there is one. Only the modules of this folder set it. */
  current: LoadedSession | undefined;
  /** The session that this call begins together with other calls of its page. */
  sharedGuest: SharedGuest | undefined;
  /** Whether the method has the verb GET. Then the call writes only the upkeep of its session. */
  isReadOnly = false;
  /** Whether this call extended the session's lifetime. */
  extended = false;
  #changes: readonly RecordChange[] = none;
  #lastWrite: Promise<void> | undefined;
  #ownerKey: string | undefined;

  constructor(call: Call, session?: LoadedSession, sharedGuest?: SharedGuest) {
    this.call = call;
    this.current = session;
    this.sharedGuest = sharedGuest;
  }

  get services(): ShopServices {
    return this.call.services;
  }

  /** The services for changes. @throws Error if the call is read-only; RpcError `timeout` after the deadline */
  get writable(): ShopServices {
    this.assertWritable();
    return this.maintainable;
  }

  /**
   * The services for the upkeep of the session, which a read-only call needs, too. Reading it throws RpcError `timeout`
   * after the deadline, because the call must not write any more.
   */
  get maintainable(): ShopServices {
    this.call.request.deadline.assertInTime();
    return this.call.services;
  }

  /** @throws Error if the call is read-only */
  assertWritable(): void {
    if (!this.isReadOnly) return;
    throw new Error(
      `Method "${this.call.request.method}" can't change anything, because its verb is GET. Remove its verb, or make the change in a method without GET`,
    );
  }

  get id(): string | undefined {
    return this.current?.record.id;
  }

  /** Whether the session is active under its ID, which a parallel call may have replaced. */
  async isActive(): Promise<boolean> {
    const { id } = this;
    return id !== undefined && (await this.services.sessions.lookUp(id)).state === "active";
  }

  /** The record with the changes of this call. */
  get preview(): SessionRecord {
    return chain(this.#changes)(this.current?.record ?? blankRecord);
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
    if (this.current !== undefined) return this.current.record.ownerKey;
    return (this.#ownerKey ??= this.sharedGuest?.ownerKey ?? this.services.random.uuid());
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

  /** Forgets the noted changes, because the session has ended. */
  forget(): void {
    this.#changes = none;
    this.#ownerKey = undefined;
  }

  /** Writes one change now. It begins a session if there is none. */
  write(change: RecordChange): Promise<void> {
    return this.#enqueue(() => [change]);
  }

  /** Writes the noted changes, and extends the session if that is due. */
  writeNoted(): Promise<void> {
    return this.#enqueue(() => {
      const changes = this.#changes;
      this.#changes = none;
      return changes;
    });
  }

  /** One write at a time: two parallel writes of one call would begin two sessions. */
  #enqueue(takeChanges: () => readonly RecordChange[]): Promise<void> {
    const run = () => this.#write(takeChanges());
    const write = this.#lastWrite?.then(run) ?? run();
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }

  async #write(changes: readonly RecordChange[]): Promise<void> {
    const { maintainable, current } = this;
    if (current === undefined) {
      if (changes.length === 0) return;
      this.assertWritable();
      const create = () => maintainable.sessions.createGuest(this.ownerKey, chain(changes));
      const begun = await this.sharedGuest?.begin(create);
      this.current = begun?.session ?? (await create());
      return begun?.isCreated === false ? this.#write(changes) : undefined;
    }
    const updated = await updateSession(maintainable, current, changes);
    if (updated === undefined) return;
    this.current = updated.session;
    this.extended ||= updated.isExtended;
  }
}

// --- Internal helpers ---

const none: readonly never[] = [];
