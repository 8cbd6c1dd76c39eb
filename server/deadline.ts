import { RpcError } from "../rpc/error.ts";

/** Gives up the calls in flight that take too long: one timer looks after all of them. */
export class Deadlines {
  /** Milliseconds. */
  readonly #limit: number;
  /** Each has a place, which is used again after it: a set would grow and shrink with each call. */
  readonly #open: (Deadline | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param limit seconds that a call may take; it is given up a tenth later at most, or a second */
  constructor(limit: number) {
    this.#limit = limit * 1000;
    this.#timer = setInterval(() => this.#sweep(), Math.min(this.#limit / 10, 1000));
    this.#timer.unref();
  }

  /** Begins the time of a call, whose work is then to be watched. */
  begin(request: ClientRequest): Deadline {
    const place = this.#free.pop() ?? this.#open.length;
    const deadline = new Deadline(request, performance.now() + this.#limit, place);
    this.#open[place] = deadline;
    return deadline;
  }

  /**
   * Waits for the work of a call; when the time has passed, the work goes on unwatched.
   * @param recover gives what stands for what the work throws, or for what it would have given too late
   * (RpcError `timeout`)
   */
  watch<T>(deadline: Deadline, work: Promise<T>, recover: (error: unknown) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        try {
          resolve(recover(error));
        } catch (failure) {
          reject(failure);
        }
      };
      deadline.onPass(fail);
      work.then(
        (result) => {
          this.#finish(deadline);
          resolve(result);
        },
        (error: unknown) => {
          if (this.#finish(deadline)) fail(error);
        },
      );
    });
  }

  /** Ends the timer. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** @returns whether it was still in flight */
  #finish(deadline: Deadline): boolean {
    const { place } = deadline;
    if (this.#open[place] !== deadline) return false;
    this.#open[place] = undefined;
    this.#free.push(place);
    return true;
  }

  #sweep(): void {
    const now = performance.now();
    for (const deadline of this.#open) {
      if (deadline === undefined || deadline.endsAt > now) continue;
      this.#finish(deadline);
      deadline.pass();
    }
  }
}

/** The time that one call has. */
export class Deadline {
  /** On the clock of `performance.now`. */
  readonly endsAt: number;
  readonly place: number;
  readonly #request: ClientRequest;
  #fail: (error: RpcError) => void = () => undefined;
  #reason: DOMException | undefined;
  #controller: AbortController | undefined;
  #signal: AbortSignal | undefined;

  /** @param place among those in flight */
  constructor(request: ClientRequest, endsAt: number, place: number) {
    this.#request = request;
    this.endsAt = endsAt;
    this.place = place;
  }

  /** Made when it is asked for, for most calls do not. */
  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    this.#controller = new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    this.#signal = AbortSignal.any([this.#request.signal, this.#controller.signal]);
    return this.#signal;
  }

  /** @param fail is told when the time has passed */
  onPass(fail: (error: RpcError) => void): void {
    this.#fail = fail;
  }

  get hasPassed(): boolean {
    return this.#reason !== undefined;
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
