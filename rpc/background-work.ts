import type { Clock } from "../storage/clock.ts";
import type { Random } from "../storage/random.ts";
import { describeError, type Logger } from "../shared/log.ts";

/** Work of calls that continues after their responses. The storefront waits for it before it closes. */
export class BackgroundWork {
  readonly #running = new Set<Promise<void>>();
  /** Each starts work that waits for its moment. */
  readonly #waiting = new Set<() => void>();
  #isClosing = false;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Milliseconds. */
  readonly #limit: number;

  /** @param limit seconds that one task may take */
  constructor(limit: number, clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#limit = limit * 1000;
  }

  /**
   * Starts work at a random moment within the next second, so the times of responses reveal nothing about it. An error
   * of it is logged.
   * @param about for the log: names the work
   * @param work gets a signal that aborts when its time has passed (a TimeoutError)
   * @returns resolves when the work has ended or its time has passed
   */
  start(
    about: string,
    work: (signal: AbortSignal) => Promise<unknown>,
    log: Logger,
  ): Promise<void> {
    const running = this.#run(work)
      .catch((error: unknown) => log.error(`${about} failed`, { error: describeError(error) }))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  /** Starts all waiting work now, and waits for it. */
  async settle(): Promise<void> {
    this.#isClosing = true;
    for (const begin of this.#waiting) begin();
    await Promise.all(this.#running);
  }

  async #run(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    await this.#delay();
    const signal = this.#clock.timeout(this.#limit);
    const isOver = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    await Promise.race([work(signal), isOver]);
  }

  #delay(): Promise<void> {
    if (this.#isClosing) return Promise.resolve();
    return new Promise((resolve) => {
      const begin = () => {
        timer.cancel();
        this.#waiting.delete(begin);
        resolve();
      };
      const delay = this.#random.between(leastDelay, 1000);
      const timer = this.#clock.setTimeout(begin, delay);
      this.#waiting.add(begin);
    });
  }
}

// --- Internal helpers ---

/** Milliseconds in which the response has left. */
const leastDelay = 50;
