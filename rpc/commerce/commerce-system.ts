import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
} from "cockatiel";
import { systemClock } from "../../storage/clock.ts";
import { describeError, type Logger } from "../../shared/log.ts";
import { RpcError } from "../error.ts";
import type { CommerceBackend } from "./commerce-backend.ts";
import { sendRequest } from "./test-hooks.ts";
import { commerceUnavailable, readResponse } from "./system-response.ts";

/** The connection to the commerce system of one backend, with a circuit breaker that all shops on the backend share. */
export interface CommerceSystem {
  readonly name: string;
  /** Seconds after which a request fails. */
  readonly timeout: number;
  /** The last failure, while the circuit breaker is open; `undefined`: the system responds, as far as is known. */
  readonly failure: string | undefined;
  /** @throws RpcError `commerce_unavailable` while the circuit breaker is open, unless it lets a request try the system */
  assertUp(): void;
  /** Calls a listener when the system responds again, after the circuit breaker was open. */
  onReturn(listener: () => void): void;
  /**
   * Sends a request, and reads the whole response.
   * @param signal ends the request without a failure of the system: the client has left, or the call took too long
   * @throws RpcError `commerce_unavailable` if the system doesn't respond in time, responds with a status of 500 or
   * more, or with an HTML page; the reason of `signal`
   */
  fetch(
    input: Parameters<typeof fetch>[0],
    init: RequestInit | undefined,
    signal: AbortSignal,
  ): Promise<Response>;
}

/**
 * Opens the connection to a commerce system. After 5 failures in a row, requests fail immediately, except for one a
 * second, which tries whether the system responds again. This is real time, also in a test with a clock of its own.
 */
export function createCommerceSystem(
  { name, timeout = 5 }: CommerceBackend,
  log: Logger,
): CommerceSystem {
  const breaker = circuitBreaker(
    // A client that leaves says nothing about the system, unless this request had to try it.
    handleWhen((error) => error instanceof RpcError || breaker.state === CircuitState.HalfOpen),
    { halfOpenAfter: pause, breaker: new ConsecutiveBreaker(5) },
  );
  let failure: string | undefined;
  let isReported = false;
  /** On the clock of `performance.now`. */
  let brokenAt = -Infinity;
  breaker.onBreak((reason) => {
    brokenAt = systemClock.monotonic();
    failure = "error" in reason ? describeError(reason.error) : "unknown";
    if (isReported) return;
    isReported = true;
    log.warn("The commerce system doesn't respond. Calls that need it get 503", {
      system: name,
      error: failure,
    });
  });
  breaker.onReset(() => {
    failure = undefined;
    isReported = false;
    log.info("The commerce system responds again", { system: name });
  });

  async function send(
    input: Parameters<typeof fetch>[0],
    init: RequestInit | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    const limit = systemClock.timeout(timeout * 1000);
    const signals = [signal, limit, ...(init?.signal ? [init.signal] : [])];
    try {
      const response = await sendRequest(input, { ...init, signal: AbortSignal.any(signals) });
      return await readResponse(response);
    } catch (error) {
      if (error instanceof RpcError) throw error;
      if (!limit.aborted) for (const ended of signals) ended.throwIfAborted();
      const cause = limit.aborted ? new Error(`No response after ${timeout} s`) : error;
      throw commerceUnavailable(cause);
    }
  }

  function assertUp(): void {
    const isTried = breaker.state === CircuitState.HalfOpen;
    const isPaused =
      breaker.state === CircuitState.Open && systemClock.monotonic() - brokenAt < pause;
    if (isTried || isPaused) throw commerceUnavailable(undefined);
  }

  return {
    name,
    timeout,
    assertUp,
    onReturn: (listener) => void breaker.onReset(listener),
    get failure() {
      return failure;
    },
    async fetch(input, init, signal) {
      signal.throwIfAborted();
      // Otherwise, this request would wait for the one that tries the system.
      assertUp();
      try {
        return await breaker.execute(() => send(input, init, signal));
      } catch (error) {
        throw error instanceof BrokenCircuitError ? commerceUnavailable(undefined) : error;
      }
    },
  };
}

// --- Internal helpers ---

/** Milliseconds between two tries of a system that doesn't respond. */
const pause = 1000;
