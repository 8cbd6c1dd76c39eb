import type { ShopServices } from "../shop-services.ts";

/** A call of this process that others with the same key can wait for without the storage. */
export interface RunningCall {
  /** Resolves when the call has ended. */
  readonly ended: Promise<void>;
  /** When it began, on the monotonic clock. */
  readonly at: number;
}

/** @param name names the session and the key */
export function findRunningCall(services: ShopServices, name: string): RunningCall | undefined {
  return callsOf(services).get(name);
}

/**
 * Notes a call that begins now.
 * @param name names the session and the key
 * @param at the time of the monotonic clock
 * @returns the function that ends it
 */
export function beginRunningCall(services: ShopServices, name: string, at: number): () => void {
  const calls = callsOf(services);
  let resolve!: () => void;
  const ended = new Promise<void>((settle) => (resolve = settle));
  const call: RunningCall = { ended, at };
  calls.set(name, call);
  return () => {
    if (calls.get(name) === call) calls.delete(name);
    resolve();
  };
}

// --- Internal helpers ---

/** If no other process writes the sessions: storefronts of this process can have the same storage. */
const ofProcess = new Map<string, RunningCall>();

/** If other servers write the sessions, too: a mark in the session's record names the call there. */
const ofShops = new WeakMap<ShopServices, Map<string, RunningCall>>();

function callsOf(services: ShopServices): Map<string, RunningCall> {
  if (!services.isShared) return ofProcess;
  const known = ofShops.get(services) ?? new Map<string, RunningCall>();
  ofShops.set(services, known);
  return known;
}
