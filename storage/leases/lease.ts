import type { Clock } from "../clock.ts";
import type { Collection, Snapshot } from "../documents/documents.ts";
import { StorageUnavailableError } from "../documents/unavailable.ts";

/** Another holder took over the lease, because this one proved nothing for its whole time. It must not write any more. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";

  constructor() {
    super(
      "Another server took over the lease, because its holder was silent for too long. Write nothing more; a new call starts from the state that is stored",
    );
  }
}

/** The document of a lease. Without a holder, it is free. */
export interface LeaseDocument<State> {
  readonly number: number;
  /** Random: `number` begins again at 1 in a new document, so it alone doesn't identify a holder. */
  readonly holder?: string | undefined;
  readonly state?: State | undefined;
}

/** A lease that this process holds. */
export class Lease<State> {
  /** Greater than the number of each earlier lease on this key, while the document of the key exists. */
  readonly number: number;
  readonly #clock: Clock;
  readonly #documents: Collection<LeaseDocument<State>>;
  readonly #key: string;
  readonly #seconds: number;
  readonly #holder: string;
  #snapshot: Snapshot<LeaseDocument<State>>;
  /** The state that the end of the lease stores. */
  #last: { readonly state: State | undefined; readonly expiresAt?: number | undefined } | undefined;

  /** @param snapshot the document that names this holder */
  constructor(
    clock: Clock,
    documents: Collection<LeaseDocument<State>>,
    key: string,
    seconds: number,
    snapshot: Snapshot<LeaseDocument<State>>,
  ) {
    this.#clock = clock;
    this.#documents = documents;
    this.#key = key;
    this.#seconds = seconds;
    this.#snapshot = snapshot;
    this.number = snapshot.value?.number ?? 0;
    this.#holder = snapshot.value?.holder ?? "";
  }

  /** The state that the last holder saved, or that this one did; `undefined`: none. */
  get state(): State | undefined {
    return this.#snapshot.value?.state;
  }

  /**
   * Stores the state, and proves that this lease still holds: one compare-and-swap. Waiters start their time again.
   * @param expiresAt epoch milliseconds at which the state may be forgotten: a day from now at the earliest
   * @returns a signal for one request that relies on the proof. It aborts when four fifths of the lease's time have
   * passed since the proof began.
   * @throws LeaseLostError if another holder took over; StorageUnavailableError
   */
  save(state: State | undefined, expiresAt?: number): Promise<AbortSignal> {
    return this.#prove(() => state, expiresAt);
  }

  /** Like {@link save} with the state as it is. Call it before each write to another system. */
  prove(): Promise<AbortSignal> {
    return this.#prove((state) => state);
  }

  /**
   * Sets the state that the end of the lease stores, which saves a write. If that write fails, or the lease was lost,
   * the call fails. Without `leave`, a lease that can't be released doesn't fail the call.
   */
  leave(state: State | undefined, expiresAt?: number): void {
    this.#last = { state, expiresAt };
  }

  /** Runs the work under this lease, and then frees the lease. If the work fails, the saved state stays. */
  async run<Result>(work: (lease: Lease<State>) => Promise<Result>): Promise<Result> {
    let result: Result;
    try {
      result = await work(this);
    } catch (error) {
      this.#last = undefined;
      await this.#release();
      throw error;
    }
    await this.#release();
    return result;
  }

  async #release(): Promise<void> {
    const last = this.#last;
    const released = this.#write(
      ({ number, state }) => ({ number, state: last === undefined ? state : last.state }),
      last?.expiresAt,
    );
    // Otherwise, waiters take over when its time has passed.
    await (last === undefined ? released.catch(() => undefined) : released);
  }

  async #prove(
    toState: (state: State | undefined) => State | undefined,
    expiresAt?: number,
  ): Promise<AbortSignal> {
    const time = this.#seconds * 800;
    for (let attempt = 0; attempt < maxProofs; attempt++) {
      const start = this.#clock.monotonic();
      await this.#write((held) => ({ ...held, state: toState(held.state) }), expiresAt);
      const left = Math.floor(time - (this.#clock.monotonic() - start));
      // If the process was stopped until the reply arrived, another one may hold the lease by now.
      if (left > 0) return this.#clock.timeout(left);
    }
    throw new StorageUnavailableError(
      `The storage took longer than ${time} ms to renew a lease of ${this.#seconds} s`,
    );
  }

  async #write(
    change: (held: LeaseDocument<State>) => LeaseDocument<State>,
    expiresAt: number | undefined,
  ): Promise<void> {
    this.#snapshot = await this.#documents.update(
      this.#key,
      (current, before) => {
        if (current?.holder !== this.#holder || current.number !== this.number) {
          throw new LeaseLostError();
        }
        return {
          set: change(current),
          expiresAt: endOfLease(this.#clock, before.expiresAt, expiresAt),
        };
      },
      this.#snapshot,
    );
  }
}

/**
 * When the document of a lease expires, in epoch milliseconds: a day from now at the earliest. So the clocks of two
 * servers decide nothing, if they are less than a day apart.
 */
export function endOfLease(clock: Clock, before: number | undefined, wanted = before ?? 0): number {
  return Math.max(wanted, clock.now() + dayMilliseconds);
}

// --- Internal helpers ---

const maxProofs = 3;
const dayMilliseconds = 86_400_000;
