import { ConsecutiveBreaker, CountBreaker, type CircuitState, type IBreaker } from "cockatiel";

/** Opens a circuit after 5 failures in a row, or when half of the last 20 requests have failed. */
export class FailureBreaker implements IBreaker {
  /** For cockatiel's serialization, which nothing here uses. */
  state: unknown;
  readonly #breakers = [
    new ConsecutiveBreaker(5),
    // The share must be greater than the threshold.
    new CountBreaker({ threshold: 0.49, size: 20 }),
  ];

  success(state: CircuitState): void {
    for (const breaker of this.#breakers) breaker.success(state);
  }

  failure(state: CircuitState): boolean {
    return this.#breakers.map((breaker) => breaker.failure(state)).includes(true);
  }
}
