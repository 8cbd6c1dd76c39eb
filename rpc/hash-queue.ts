import { availableParallelism } from "node:os";
import { RpcError } from "./error.ts";

/**
 * Runs a hash when its turn comes. Few run at a time: each keeps a core busy and a thread of the pool that
 * files and names are looked up in, too, and a burst of logins must not hold up everybody else's calls.
 * @param signal one whose caller has gone by then is left out
 * @throws RpcError `client_gone` for such a one, and what `hash` throws
 */
export async function hashInTurn<T>(hash: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  if (running >= maxRunning) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    if (signal?.aborted) throw clientGone();
    return await hash();
  } finally {
    const next = waiting.shift();
    // Whoever comes next takes the place.
    if (next === undefined) running--;
    else next();
  }
}

// --- Internal helpers ---

/** Node's pool has four threads. */
const maxRunning = Math.min(3, Math.max(1, availableParallelism() - 1));
const waiting: (() => void)[] = [];
let running = 0;

/** Nobody hears of it; the status is what proxies log for it. */
function clientGone(): RpcError {
  return new RpcError("client_gone", { status: 499, title: "The caller did not wait" });
}
