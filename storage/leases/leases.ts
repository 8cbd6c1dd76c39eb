import type { Random } from "../random.ts";
import { pause, type Clock } from "../clock.ts";
import type { Collection, DocumentStore, Snapshot } from "../documents/documents.ts";
import { createKeyedMutex } from "../documents/keyed-mutex.ts";
import { endOfLease, Lease, type LeaseDocument } from "./lease.ts";

/**
 * Leases of one kind: work that runs once at a time for each key, on all servers. The state is in the same document, so
 * that one compare-and-swap changes the state and proves the lease.
 */
export class Leases<State> {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #documents: Collection<LeaseDocument<State>>;
  /** Whether only this process writes. */
  readonly #isAlone: boolean;
  readonly #mutex = createKeyedMutex();

  /**
   * @param name precedes the keys, as in a collection
   * @param isState checks that a stored state is a `State`
   */
  constructor(store: DocumentStore, name: string, isState: (value: unknown) => value is State) {
    this.#clock = store.clock;
    this.#random = store.random;
    this.#documents = store.collection(name, isLeaseDocument(isState));
    this.#isAlone = store.capabilities.atomic === "process";
  }

  /** Reads the state without a lease: one read. @throws StorageUnavailableError */
  async read(key: string): Promise<State | undefined> {
    return (await this.#documents.get(key)).value?.state;
  }

  /**
   * The same, whether a holder may be changing the state right now, and when the state may be forgotten (epoch
   * milliseconds). @throws StorageUnavailableError
   */
  async peek(key: string) {
    const snapshot = await this.#documents.get(key);
    const { value, expiresAt } = snapshot;
    return { state: value?.state, isHeld: !this.#isFree(snapshot), expiresAt };
  }

  /**
   * Runs `work` while this process alone holds the lease on a key. A crashed holder loses the lease to the first waiter
   * that has seen the document unchanged for `seconds`, by the waiter's own monotonic clock.
   * @param seconds at least 1
   * @param signal ends the wait. After the work has begun, it has no effect: pass it to the requests of the work, too.
   * @returns the result of `work`
   * @throws the reason of the signal, if it aborts before the work begins; LeaseLostError, also from `save`, `prove`,
   *   or `leave` of a holder that was stopped and continues; StorageUnavailableError; any error of `work`
   */
  withLease<Result>(
    key: string,
    { seconds, signal }: { readonly seconds: number; readonly signal?: AbortSignal | undefined },
    work: (lease: Lease<State>) => Promise<Result>,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const giveUp = () => reject(signal?.reason as Error);
      signal?.addEventListener("abort", giveUp, { once: true });
      const begin = () => signal?.removeEventListener("abort", giveUp);
      const result = this.#mutex(key, async () => {
        const lease = await this.#acquire(key, seconds, signal);
        begin();
        return lease.run(work);
      });
      result.finally(begin).then(resolve, reject);
    });
  }

  async #acquire(key: string, seconds: number, signal?: AbortSignal): Promise<Lease<State>> {
    /** The version that a holder has left unchanged, and when a read first returned it. */
    let seen: { readonly version: string; readonly at: number } | undefined;
    for (let wait = minPause; ; wait = Math.min(wait * 1.5, maxPause)) {
      signal?.throwIfAborted();
      const start = this.#clock.monotonic();
      const snapshot = await this.#documents.get(key);
      if (seen?.version !== snapshot.version) {
        seen = { version: snapshot.version, at: this.#clock.monotonic() };
      }
      const isSilent = start - seen.at >= seconds * 1000;
      if (this.#isFree(snapshot) || isSilent) {
        const lease = await this.#take(key, seconds, snapshot);
        if (lease !== undefined) return lease;
      }
      await pause(wait * this.#random.between(0.5, 1.5), signal && { signal });
    }
  }

  #isFree({ value, version }: Snapshot<LeaseDocument<State>>): boolean {
    if (value !== undefined) return value.holder === undefined;
    // It has expired by this server's clock. Another server's clock can be days behind, and the lease be held.
    return version === "" || this.#isAlone;
  }

  /** @returns `undefined` if another waiter was faster, or the holder has saved something */
  async #take(
    key: string,
    seconds: number,
    seen: Snapshot<LeaseDocument<State>>,
  ): Promise<Lease<State> | undefined> {
    const holder = this.#random.uuid();
    const taken = await this.#documents.update(
      key,
      (current, { version, expiresAt }) => {
        if (version !== seen.version) return "keep";
        const next = { number: (current?.number ?? 0) + 1, holder, state: current?.state };
        return { set: next, expiresAt: endOfLease(this.#clock, expiresAt) };
      },
      seen,
    );
    if (taken.value?.holder !== holder) return undefined;
    return new Lease(this.#clock, this.#documents, key, seconds, taken);
  }
}

// --- Internal helpers ---

/** Milliseconds between two reads of a waiter: random, so that waiters don't all read at the same time. */
const minPause = 20;
const maxPause = 250;

function isLeaseDocument<State>(isState: (value: unknown) => value is State) {
  return (value: unknown): value is LeaseDocument<State> => {
    const { number, holder, state } = (value ?? {}) as Partial<LeaseDocument<unknown>>;
    return (
      Number.isSafeInteger(number) &&
      (holder === undefined || typeof holder === "string") &&
      (state === undefined || isState(state))
    );
  };
}
