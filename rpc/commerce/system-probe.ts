import { systemClock, type Timer } from "../../storage/clock.ts";
import { RpcError } from "../error.ts";
import type { PublicShop } from "../shop.ts";
import type { CommerceBackend } from "./commerce-backend.ts";

/**
 * Tries a commerce system that doesn't respond, in the background, so that no visitor waits for that.
 * @param shop the shop for which the check runs: one of those with this backend
 * @param send sends a request within the timeout of the system, also while its circuit breaker is open
 * @param onReturn is called when the system responds again
 * @returns `undefined` if the backend has no `check`
 */
export function createSystemProbe(
  backend: Pick<CommerceBackend, "check">,
  shop: PublicShop,
  send: (
    input: Parameters<typeof fetch>[0],
    init: RequestInit | undefined,
    signal: AbortSignal,
  ) => Promise<Response>,
  onReturn: () => void,
) {
  if (backend.check === undefined) return undefined;
  let hasReturned = false;
  let isClosed = false;
  let timer: Timer | undefined;
  let round: AbortController | undefined;

  /** Requests can overlap: one that was lost must not delay the next. */
  async function probe(signal: AbortSignal): Promise<void> {
    try {
      await backend.check?.({ shop, fetch: (input, init) => send(input, init, signal) });
    } catch (error) {
      // Any other error says that the system has responded.
      if (error instanceof RpcError && error.code === "commerce_unavailable") return;
    }
    if (signal.aborted) return;
    stop();
    hasReturned = true;
    onReturn();
  }

  function stop(): void {
    timer?.cancel();
    round?.abort(new Error("The check of the commerce system is no longer needed"));
  }

  return {
    /** Whether the system has responded since the last `start`. */
    get hasReturned(): boolean {
      return hasReturned;
    },
    /** Begins to send the backend's `check` twice a second, until it gets a response. */
    start(): void {
      stop();
      hasReturned = false;
      if (isClosed) return;
      round = new AbortController();
      const { signal } = round;
      timer = systemClock.setInterval(() => void probe(signal), interval).unref();
    },
    close(): void {
      isClosed = true;
      stop();
    },
  };
}

// --- Internal helpers ---

/** Milliseconds. */
const interval = 500;
