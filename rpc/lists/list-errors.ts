import type { ListKind } from "../../storage/sessions/list-kind.ts";
import { RpcError } from "../error.ts";

/** The error of a list that is full. */
export function tooManyItems(kind: ListKind, maxItems: number): RpcError {
  return new RpcError("limit_reached", {
    detail: `A ${kind} of this shop can have up to ${maxItems} ${nounOf[kind]}s`,
  });
}

/** The error of an item's key that the list doesn't have. */
export function unknownItem(kind: ListKind): RpcError {
  return new RpcError("unknown_item", {
    detail: `The ${kind} has no ${nounOf[kind]} with this key`,
  });
}

// --- Internal helpers ---

const nounOf = { basket: "line", wishlist: "item" } as const satisfies Record<ListKind, string>;
