import type { ShopServices } from "../shop-services.ts";

/** A call of this process that others with the same key can wait for without the storage. */
export interface RunningCall {
  /** Resolves when the call has ended. */
  readonly ended: Promise<void>;
  /** When it began, on the monotonic clock. */
  readonly at: number;
}

/** The running calls that calls of a shop can wait for, by session and key. */
class RunningCalls {
  readonly #calls = new Map<string, RunningCall>();

  find(name: string): RunningCall | undefined {
    return this.#calls.get(name);
  }

  /** Adds a call that begins now. @param at the time of the monotonic clock @returns the function that ends it */
  begin(name: string, at: number): () => void {
    let resolve!: () => void;
    const ended = new Promise<void>((settle) => (resolve = settle));
    const call: RunningCall = { ended, at };
    this.#calls.set(name, call);
    return () => {
      if (this.#calls.get(name) === call) this.#calls.delete(name);
      resolve();
    };
  }
}

/** Finds the running calls of a shop. */
export function runningCallsOf(services: ShopServices): RunningCalls {
  if (!services.isShared) return ofProcess;
  const known = ofShops.get(services) ?? new RunningCalls();
  ofShops.set(services, known);
  return known;
}

// --- Internal helpers ---

/** If no other process writes the sessions: storefronts of this process can have the same storage. */
const ofProcess = new RunningCalls();

/** If other servers write the sessions, too: a mark in the session's record names the call there. */
const ofShops = new WeakMap<ShopServices, RunningCalls>();
