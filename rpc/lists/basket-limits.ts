import { RpcError, type Issue } from "../error.ts";

/** How a login merges a guest's basket into the user's. */
export type MergeStrategy = "merge" | "useGuest" | "useExisting" | "useGuestIfExistingEmpty";

/** The settings of a shop's baskets, with defaults. */
export interface BasketOptions {
  readonly mergeStrategy: MergeStrategy;
  /** The most lines of a basket after a change. */
  readonly maxItems: number;
  /** The largest quantity of a line. */
  readonly maxQuantity: number;
}

/**
 * Checks the quantity that a line has after a change.
 * @param path of the quantity in the input
 * @throws RpcError `limit_reached`
 */
export function assertQuantity(
  quantity: number,
  { maxQuantity }: BasketOptions,
  path: Issue["path"],
): void {
  if (quantity <= maxQuantity) return;
  const message = `The quantity of a line in this shop can be up to ${maxQuantity}`;
  throw new RpcError("limit_reached", { detail: message, errors: [{ path, message }] });
}
