import type { ServerRequest } from "srvx";
import type { Clock, Timer } from "../storage/clock.ts";
import { RpcError } from "../rpc/error.ts";
import { clientSignal } from "./client-signal.ts";

/** The deadlines of the calls in flight. One timer checks all of them. */
export class Deadlines {
  readonly #clock: Clock;
  /** Milliseconds. */
  readonly #limit: number;
  /** Milliseconds between two sweeps. */
  readonly #interval: number;
  // A linked list, in the order in which deadlines expire, because all calls have the same limit. A set would drag
  // ended calls into the old generation of the heap: that cost 3 µs of garbage collection per call.
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  /** Created by the first call, because a worker has no timers while its modules load. */
  #timer: Timer | undefined;
  /** When the timer last ran or started, on the monotonic clock. */
  #sweptAt = 0;

  /** @param limit seconds that a call may take; it can be a tenth of it longer, or a second */
  constructor(limit: number, clock: Clock) {
    this.#clock = clock;
    this.#limit = limit * 1000;
    this.#interval = Math.min(this.#limit / 10, 1000);
  }

  /** Starts the deadline of a call, which ends with {@link end}. */
  begin(request: ServerRequest): Deadline {
    const now = this.#clock.monotonic();
    // A worker's timer ends with the request that started it.
    if (this.#timer === undefined || now - this.#sweptAt > 2 * this.#interval) this.#restart(now);
    const deadline = new Deadline(request, now + this.#limit);
    deadline.previous = this.#last;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.next = deadline;
    this.#last = deadline;
    return deadline;
  }

  end(deadline: Deadline): void {
    const { previous, next } = deadline;
    if (previous !== undefined) previous.next = next;
    else if (this.#first === deadline) this.#first = next;
    if (next !== undefined) next.previous = previous;
    else if (this.#last === deadline) this.#last = previous;
    deadline.previous = undefined;
    deadline.next = undefined;
  }

  /** Stops the timer. */
  stop(): void {
    this.#timer?.cancel();
  }

  #restart(now: number): void {
    this.#timer?.cancel();
    this.#sweptAt = now;
    this.#timer = this.#clock.setInterval(() => this.#sweep(), this.#interval).unref();
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    this.#sweptAt = now;
    for (let open = this.#first; open !== undefined && open.endsAt <= now; open = this.#first) {
      this.end(open);
      open.expire();
    }
  }
}

/** The deadline of one call. */
export class Deadline {
  /** On the monotonic clock. */
  readonly endsAt: number;
  /** The neighbours in the list of open deadlines. */
  previous: Deadline | undefined;
  next: Deadline | undefined;
  readonly #request: ServerRequest;
  #fail: ((error: RpcError) => void) | undefined;
  #detail: string | undefined;
  #reason: DOMException | undefined;
  #controller: AbortController | undefined;
  #signal: AbortSignal | undefined;

  constructor(request: ServerRequest, endsAt: number) {
    this.#request = request;
    this.endsAt = endsAt;
  }

  /** Created on the first read, because most calls never read it. */
  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    this.#controller = new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    this.#signal = AbortSignal.any([clientSignal(this.#request), this.#controller.signal]);
    return this.#signal;
  }

  /**
   * Waits for a step of the call. If the deadline expires, this rejects immediately, and the step continues by itself.
   * @param discard gets the result of a step that ends too late
   * @param detail the detail of the error
   * @throws RpcError `timeout`
   */
  wait<T>(step: Promise<T>, discard?: (result: T) => void, detail?: string): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#detail = detail;
      step.then((result) => {
        if (this.#reason === undefined) resolve(result);
        else discard?.(result);
      }, reject);
    });
  }

  /** @throws RpcError `timeout` */
  assertInTime(): void {
    if (this.#reason !== undefined) throw timeout();
  }

  expire(): void {
    this.#reason = new DOMException("The call took too long", "TimeoutError");
    this.#fail?.(timeout(this.#detail));
    this.#controller?.abort(this.#reason);
  }
}

// --- Internal helpers ---

/** The body may still be on its way, so the connection can't be used again. */
function timeout(detail?: string): RpcError {
  return new RpcError("timeout", { detail, headers: { connection: "close" } });
}
