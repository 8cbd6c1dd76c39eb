/** Receives the events of methods. */
export interface RpcObserver {
  /** A read of `cached` got a stored value (`hit`), or began a load (`miss`); or a load began for a stale value (`refresh`). */
  cache(shopId: number, result: "hit" | "miss" | "refresh"): void;
  /** A login, or a later call, merged a guest's lists into the user's, or left that to the next call (`owed`). */
  merge(shopId: number, outcome: "done" | "owed"): void;
}
