import { availableParallelism } from "node:os";
import type { Visit } from "../commerce/visit.ts";
import { RpcError } from "../error.ts";
import { toNetwork } from "./network.ts";

/**
 * Runs a hash with limited concurrency: each hash keeps a core busy, and a thread of the pool that also reads files and
 * resolves names. It takes the callers' networks in rotation, so that one network cannot delay the others.
 * @throws RpcError `client_gone` if the caller disconnected; `too_many_attempts` if too many hashes of its network
 * wait; `too_busy` if too many wait in all; and any error of `hash`
 */
export async function queueHash<T>(
  hash: () => Promise<T>,
  caller: Partial<Visit> = {},
): Promise<T> {
  if (running >= maxRunning) await waitForSlot(caller);
  else running++;
  try {
    if (caller.signal?.aborted) throw new RpcError("client_gone");
    return await hash();
  } finally {
    const next = takeNext();
    // The next hash takes the slot.
    if (next === undefined) running--;
    else next.start();
  }
}

/** How many hashes run and wait now. */
export function hashQueueState(): { readonly running: number; readonly waiting: number } {
  return { running, waiting };
}

/** How many hashes can run at a time; Node's pool has four threads. */
export const maxRunning = Math.min(3, Math.max(1, availableParallelism() - 1));
/** The most hashes that one network can have waiting: a few seconds of work. */
export const maxWaitingPerNetwork = 32;
/** The most hashes that can wait in all: as many as complete within `callTimeout`. */
export const maxWaiting = 128;

// --- Internal helpers ---

const tooManyWaiting = "Too many passwords from this address wait to be checked";

/** The waiting hashes of each network that has some; the first network is next. */
const queues = new Map<
  string,
  { caller: Partial<Visit>; start: () => void; refuse: (error: RpcError) => void }[]
>();
let running = 0;
let waiting = 0;

async function waitForSlot(caller: Partial<Visit>): Promise<void> {
  const network = caller.ip === undefined ? "" : toNetwork(caller.ip);
  // Callers without a known IP address are not one network.
  const isFull = () => network !== "" && (queues.get(network)?.length ?? 0) >= maxWaitingPerNetwork;
  if (isFull() || waiting >= maxWaiting) dropAbandoned();
  const headers = { "retry-after": "1" };
  if (isFull()) throw new RpcError("too_many_attempts", { detail: tooManyWaiting, headers });
  if (waiting >= maxWaiting) throw new RpcError("too_busy", { headers });
  const queue = queues.get(network) ?? [];
  queues.set(network, queue);
  waiting++;
  return new Promise((start, refuse) => queue.push({ caller, start, refuse }));
}

/** Takes the oldest hash of the first network, and moves that network to the end. */
function takeNext() {
  const [first] = queues;
  if (first === undefined) return undefined;
  const [network, queue] = first;
  queues.delete(network);
  const next = queue.shift();
  if (queue.length > 0) queues.set(network, queue);
  waiting--;
  return next;
}

/** Removes the hashes of callers that no longer wait. */
function dropAbandoned(): void {
  for (const [network, queue] of queues) {
    const kept = queue.filter(({ caller, refuse }) => {
      if (!caller.signal?.aborted) return true;
      refuse(new RpcError("client_gone"));
      waiting--;
      return false;
    });
    if (kept.length > 0) queues.set(network, kept);
    else queues.delete(network);
  }
}
