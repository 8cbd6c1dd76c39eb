import type { CallDeadline } from "../rpc/deadline.ts";
import { RpcError } from "../rpc/error.ts";

/** Gives up the calls in flight that take too long: one timer looks after all of them. */
export class Deadlines {
  /** Milliseconds. */
  readonly #limit: number;
  /** Those who began first are first. */
  readonly #open = new Set<Deadline>();
  readonly #timer: NodeJS.Timeout;

  /** @param limit seconds that a call may take; it is given up a tenth later at most, or a second */
  constructor(limit: number) {
    this.#limit = limit * 1000;
    this.#timer = setInterval(() => this.#sweep(), Math.min(this.#limit / 10, 1000));
    this.#timer.unref();
  }

  /** Begins the time of a call, which ends with `finish`. */
  begin(request: ClientRequest): Deadline {
    const deadline = new Deadline(request, performance.now() + this.#limit);
    this.#open.add(deadline);
    return deadline;
  }

  /** The call has its answer. */
  finish(deadline: Deadline): void {
    this.#open.delete(deadline);
  }

  /** Ends the timer. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const now = performance.now();
    for (const deadline of this.#open) {
      if (deadline.endsAt > now) return;
      this.#open.delete(deadline);
      deadline.pass();
    }
  }
}

/** The time that one call has. */
export class Deadline implements CallDeadline {
  /** On the clock of `performance.now`. */
  readonly endsAt: number;
  readonly #request: ClientRequest;
  #fail: (error: RpcError) => void = () => undefined;
  #reason: DOMException | undefined;
  #controller: AbortController | undefined;
  #signal: AbortSignal | undefined;

  constructor(request: ClientRequest, endsAt: number) {
    this.#request = request;
    this.endsAt = endsAt;
  }

  /** Made when it is asked for, for most calls do not. */
  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    this.#controller = new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    this.#signal = AbortSignal.any([this.#request.signal, this.#controller.signal]);
    return this.#signal;
  }

  /**
   * Waits for a part of the call's work, which goes on unwatched when the time has passed.
   * @throws RpcError `timeout`, and what the work throws
   */
  keep<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      if (this.#reason !== undefined) reject(timeout());
      work.then(resolve, reject);
    });
  }

  assertInTime(): void {
    if (this.#reason !== undefined) throw new RpcError("timeout");
  }

  /** Ends it. */
  pass(): void {
    this.#reason = new DOMException("The call took too long", "TimeoutError");
    this.#fail(timeout());
    this.#controller?.abort(this.#reason);
  }
}

// --- Internal helpers ---

/** The body may still be on its way, so the connection is of no more use. */
function timeout(): RpcError {
  return new RpcError("timeout", { headers: { connection: "close" } });
}

interface ClientRequest {
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}
