import { LoopTimer } from "./loop-timer.ts";
import { StorageTimeoutError } from "./unavailable.ts";

/**
 * Waits for a driver's answers, each for three seconds at most.
 *
 * A change that took longer may still happen, and would then undo a later one. So its key is refused until the
 * driver has settled it. A driver that answers nothing at all is asked once a second, so that calls fail
 * immediately and do not pile up in its client.
 */
export class DriverCalls {
  readonly #timer = new LoopTimer(limit);
  /** The keys of changes that have timed out, and are not settled. */
  readonly #unsettled = new Set<string>();
  /** The number of timeouts since the last answer. */
  #timeouts = 0;
  /** When a driver that does not answer was last asked, in epoch milliseconds. */
  #lastProbe = 0;
  readonly #onFailure: () => void;

  constructor(onFailure: () => void) {
    this.#onFailure = onFailure;
  }

  /** @throws StorageTimeoutError if an operation on this key would be in vain */
  admit(key: string): void {
    if (this.#unsettled.size > 0 && this.#unsettled.has(key)) {
      throw new StorageTimeoutError("An earlier change of this document has not been answered");
    }
    if (this.#timeouts < maxTimeouts) return;
    const now = Date.now();
    if (Math.abs(now - this.#lastProbe) < probeInterval) {
      throw new StorageTimeoutError("The driver does not answer");
    }
    this.#lastProbe = now;
  }

  /** Waits for what is read. @throws StorageTimeoutError */
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
        reject(new StorageTimeoutError(`No answer within ${limit} ms`));
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

/** After so many timeouts in a row the driver is taken for one that does not answer. */
const maxTimeouts = 10;

/** Milliseconds from one probe to the next. */
const probeInterval = 1000;
