import type { ListKind } from "../../storage/sessions/list-kind.ts";
import { RpcError, type Issue } from "../error.ts";

/** The error of a list that is full. */
export function tooManyItems(kind: ListKind, maxItems: number): RpcError {
  return new RpcError("limit_reached", {
    detail: `A ${kind} of this shop can have up to ${maxItems} ${nounOf[kind]}s`,
  });
}

/** The error of a quantity that is too large. @param path its path in the input */
export function quantityTooLarge(path: Issue["path"], maxQuantity: number): RpcError {
  const message = `The quantity of a line in this shop can be up to ${maxQuantity}`;
  return new RpcError("limit_reached", { detail: message, errors: [{ path, message }] });
}

/** The error of an item's key that the list doesn't have. */
export function unknownItem(kind: ListKind): RpcError {
  return new RpcError("unknown_item", {
    detail: `The ${kind} has no ${nounOf[kind]} with this key`,
  });
}

// --- Internal helpers ---

const nounOf = { basket: "line", wishlist: "item" } as const satisfies Record<ListKind, string>;
