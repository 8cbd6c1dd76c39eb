/** A lease, as the work under it gets it. */
export interface Lease<State> {
  /** Greater than the number of each earlier lease on this key, while the document of the key exists. */
  readonly number: number;
  /** The state that the last holder saved, or that this one did; `undefined`: none. */
  readonly state: State | undefined;
  /**
   * Stores the state, and proves that this lease still holds: one compare-and-swap. Waiters start their time again.
   * @param expiresAt epoch milliseconds at which the state may be forgotten: a day from now at the earliest
   * @returns a signal for one request that relies on the proof. It aborts when four fifths of the lease's time have
   * passed since the proof began.
   * @throws LeaseLostError if another holder took over; StorageUnavailableError
   */
  save(state: State | undefined, expiresAt?: number): Promise<AbortSignal>;
  /** Like {@link save} with the state as it is. Call it before each write to another system. */
  prove(): Promise<AbortSignal>;
  /**
   * Sets the state that the end of the lease stores, which saves a write. If that write fails, or the lease was lost,
   * the call fails. Without `leave`, a lease that can't be released doesn't fail the call.
   */
  leave(state: State | undefined, expiresAt?: number): void;
}

/** Another holder took over the lease, because this one proved nothing for its whole time. It must not write any more. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";

  constructor() {
    super(
      "Another server took over the lease, because its holder was silent for too long. Write nothing more; a new call starts from the state that is stored",
    );
  }
}

/** The document of a lease. Without a holder, it is free. */
export interface LeaseDocument<State> {
  readonly number: number;
  /** Random: `number` begins again at 1 in a new document, so it alone doesn't identify a holder. */
  readonly holder?: string | undefined;
  readonly state?: State | undefined;
}

/** Checks the document of a lease. @param isState checks its state */
export function isLeaseDocument<State>(isState: (value: unknown) => value is State) {
  return (value: unknown): value is LeaseDocument<State> => {
    const { number, holder, state } = (value ?? {}) as Partial<LeaseDocument<unknown>>;
    return (
      Number.isSafeInteger(number) &&
      (holder === undefined || typeof holder === "string") &&
      (state === undefined || isState(state))
    );
  };
}
