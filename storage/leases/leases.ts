import type { Random } from "../random.ts";
import { pause, type Clock } from "../clock.ts";
import type { Collection, DocumentStore, Snapshot } from "../documents/documents.ts";
import { createKeyedMutex } from "../documents/keyed-mutex.ts";
import { endOfLease, HeldLease } from "./held-lease.ts";
import { isLeaseDocument, type Lease, type LeaseDocument } from "./lease.ts";

/** When a silent holder loses a lease, and when a call gives up waiting for it. */
export interface LeaseOptions {
  /** A waiter takes over after it has seen the lease unchanged for this time. At least 1. */
  readonly seconds: number;
  /** Ends the wait. After the work has begun, it has no effect: pass it to the requests of the work, too. */
  readonly signal?: AbortSignal | undefined;
}

/** Leases of one kind: work that runs once at a time for each key, on all servers. */
export interface Leases<State> {
  /** Reads the state without a lease: one read. @throws StorageUnavailableError */
  read(key: string): Promise<State | undefined>;
  /**
   * The same, whether a holder may be changing the state right now, and when the state may be forgotten (epoch
   * milliseconds). @throws StorageUnavailableError
   */
  peek(key: string): Promise<{
    readonly state: State | undefined;
    readonly isHeld: boolean;
    readonly expiresAt: number | undefined;
  }>;
  /**
   * Runs `work` while this process alone holds the lease on a key, and frees the lease after it. Other calls wait. Of
   * each process, one call polls.
   *
   * A holder that crashes loses its lease to the first waiter that has seen the document unchanged for `seconds`, by the
   * waiter's own monotonic clock. The clocks of two servers are never compared. A holder that was stopped and continues
   * learns it at its next `save`, `prove` or `leave`. It can still send a request that it had proved before it stopped.
   * @returns the result of `work`
   * @throws the reason of the signal, if it aborts before the work begins; LeaseLostError; StorageUnavailableError; any
   * error of `work`
   */
  withLease<Result>(
    key: string,
    options: LeaseOptions,
    work: (lease: Lease<State>) => Promise<Result>,
  ): Promise<Result>;
}

/**
 * Opens leases whose state is in the same document, so that one compare-and-swap changes the state and proves the lease.
 *
 * @param name precedes the keys, as in a collection
 * @param isState checks that a stored state is a `State`
 */
export function openLeases<State>(
  store: Pick<DocumentStore, "collection" | "capabilities" | "clock" | "random">,
  name: string,
  isState: (value: unknown) => value is State,
): Leases<State> {
  const { clock, random } = store;
  const documents = store.collection(name, isLeaseDocument(isState));
  const mutex = createKeyedMutex();
  // Expired by the clock of this server alone, if others write, too.
  const isAlone = store.capabilities.atomic === "process";
  return {
    read: async (key) => (await documents.get(key)).value?.state,

    async peek(key) {
      const snapshot = await documents.get(key);
      const { value, expiresAt } = snapshot;
      return { state: value?.state, isHeld: !isFree(snapshot, isAlone), expiresAt };
    },

    withLease(key, options, work) {
      const { signal } = options;
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const giveUp = () => reject(signal?.reason as Error);
        signal?.addEventListener("abort", giveUp, { once: true });
        const begin = () => signal?.removeEventListener("abort", giveUp);
        const result = mutex(key, async () => {
          const lease = await acquire({ clock, random, documents, isAlone }, key, options);
          begin();
          return runUnder(lease, () => work(lease));
        });
        result.finally(begin).then(resolve, reject);
      });
    },
  };
}

// --- Internal helpers ---

/** Milliseconds between two reads of a waiter: random, so that waiters don't all read at the same time. */
const minPause = 20;
const maxPause = 250;

interface LeaseStorage<State> {
  readonly clock: Clock;
  readonly random: Random;
  readonly documents: Collection<LeaseDocument<State>>;
  /** Whether only this process writes. */
  readonly isAlone: boolean;
}

async function runUnder<State, Result>(
  lease: HeldLease<State>,
  work: () => Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    await lease.release(false);
    throw error;
  }
  await lease.release(true);
  return result;
}

async function acquire<State>(
  storage: LeaseStorage<State>,
  key: string,
  options: LeaseOptions,
): Promise<HeldLease<State>> {
  const { clock, random, documents, isAlone } = storage;
  const { seconds, signal } = options;
  /** The version that a holder has left unchanged, and when a read first returned it. */
  let seen: { readonly version: string; readonly at: number } | undefined;
  for (let wait = minPause; ; wait = Math.min(wait * 1.5, maxPause)) {
    signal?.throwIfAborted();
    const start = clock.monotonic();
    const snapshot = await documents.get(key);
    if (isFree(snapshot, isAlone) || isSilent(snapshot, start)) {
      const lease = await take(storage, key, seconds, snapshot);
      if (lease !== undefined) return lease;
    }
    if (seen?.version !== snapshot.version) {
      seen = { version: snapshot.version, at: clock.monotonic() };
    }
    await pause(wait * random.between(0.5, 1.5), signal && { signal });
  }

  function isSilent({ version }: Snapshot<unknown>, start: number): boolean {
    return seen?.version === version && start - seen.at >= seconds * 1000;
  }
}

function isFree({ value, version }: Snapshot<LeaseDocument<unknown>>, isAlone: boolean): boolean {
  if (value !== undefined) return value.holder === undefined;
  // Another server's clock can be days behind, and the lease be held.
  return version === "" || isAlone;
}

/** @returns `undefined` if another waiter was faster, or the holder has saved something */
async function take<State>(
  { clock, random, documents }: LeaseStorage<State>,
  key: string,
  seconds: number,
  seen: Snapshot<LeaseDocument<State>>,
): Promise<HeldLease<State> | undefined> {
  const holder = random.uuid();
  const taken = await documents.update(
    key,
    (current, { version, expiresAt }) => {
      if (version !== seen.version) return "keep";
      const next = { number: (current?.number ?? 0) + 1, holder, state: current?.state };
      return { set: next, expiresAt: endOfLease(clock, expiresAt) };
    },
    seen,
  );
  if (taken.value?.holder !== holder) return undefined;
  return new HeldLease(clock, documents, key, seconds, taken);
}
