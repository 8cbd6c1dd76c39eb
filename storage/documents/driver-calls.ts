import { LoopTimer } from "./loop-timer.ts";
import { StorageTimeoutError } from "./unavailable.ts";

/**
 * Waits for the results of a driver, each for three seconds at most.
 *
 * A change that timed out can still happen, and would then overwrite a later one. So operations on its key fail until
 * the driver has settled it. If a driver doesn't respond at all, it gets one operation a second. Other operations fail
 * immediately, so they don't pile up in its client.
 */
export class DriverCalls {
  readonly #timer = new LoopTimer(limit);
  /** The keys of changes that timed out and are not settled. */
  readonly #unsettled = new Set<string>();
  /** The number of timeouts since the last result. */
  #timeouts = 0;
  /** The time of the last probe of a driver that doesn't respond, in epoch milliseconds. */
  #lastProbe = 0;
  readonly #onFailure: () => void;

  constructor(onFailure: () => void) {
    this.#onFailure = onFailure;
  }

  /** @throws StorageTimeoutError if an operation on this key can't succeed now */
  admit(key: string): void {
    if (this.#unsettled.size > 0 && this.#unsettled.has(key)) {
      throw new StorageTimeoutError("An earlier change of this document is still pending");
    }
    if (this.#timeouts < maxTimeouts) return;
    const now = Date.now();
    if (Math.abs(now - this.#lastProbe) < probeInterval) {
      throw new StorageTimeoutError("The driver does not respond");
    }
    this.#lastProbe = now;
  }

  /** Waits for a read. @throws StorageTimeoutError */
  read<T>(answer: PromiseLike<T>): Promise<T> {
    return this.#wait(answer, () => undefined);
  }

  /** Waits for a change of a document. @throws StorageTimeoutError */
  change<T>(key: string, answer: PromiseLike<T>): Promise<T> {
    return this.#wait(answer, () => {
      const forget = () => void this.#unsettled.delete(key);
      this.#unsettled.add(key);
      answer.then(forget, forget);
    });
  }

  #wait<T>(answer: PromiseLike<T>, onTimeout: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const timed = this.#timer.start(() => {
        this.#timeouts++;
        this.#onFailure();
        onTimeout();
        reject(new StorageTimeoutError(`No response within ${limit} ms`));
      });
      const end = () => {
        this.#timeouts = 0;
        this.#timer.end(timed);
      };
      answer.then(
        (value) => {
          end();
          resolve(value);
        },
        (error: unknown) => {
          end();
          this.#onFailure();
          reject(error);
        },
      );
    });
  }
}

// --- Internal helpers ---

/** Milliseconds. */
const limit = 3000;

/** After this many timeouts in a row, the driver counts as not responding. */
const maxTimeouts = 10;

/** Milliseconds from one probe to the next. */
const probeInterval = 1000;
