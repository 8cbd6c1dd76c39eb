/** The time that a call has, as the call sees it. */
export interface CallDeadline {
  /** Aborts when the time has passed (a TimeoutError), or when the client has gone away. */
  readonly signal: AbortSignal;
  /** @throws RpcError `timeout` when the time has passed: the call has been answered */
  assertInTime(): void;
}
