import type { Clock } from "../clock.ts";
import type { Collection, Snapshot } from "../documents/documents.ts";
import { StorageUnavailableError } from "../documents/unavailable.ts";
import { LeaseLostError, type Lease, type LeaseDocument } from "./lease.ts";

/** A lease that this process got, as long as nobody takes it over. */
export class HeldLease<State> implements Lease<State> {
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

  get state(): State | undefined {
    return this.#snapshot.value?.state;
  }

  save(state: State | undefined, expiresAt?: number): Promise<AbortSignal> {
    return this.#prove(() => state, expiresAt);
  }

  prove(): Promise<AbortSignal> {
    return this.#prove((state) => state);
  }

  leave(state: State | undefined, expiresAt?: number): void {
    this.#last = { state, expiresAt };
  }

  /** Frees the lease after its work. @param isDone whether the work succeeded: otherwise, the saved state stays */
  async release(isDone: boolean): Promise<void> {
    const last = isDone ? this.#last : undefined;
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
