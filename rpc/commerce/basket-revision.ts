import { createHash } from "node:crypto";
import { identify } from "./basket-plan.ts";
import type { CommerceBasket } from "./commerce-backend.ts";

/** A basket with the revision that a client can send back with a change. */
export type Revised<B extends CommerceBasket> = B & { readonly revision: number };

/** Adds the revision to a basket, unless the system counts revisions itself. */
export function withRevision<B extends CommerceBasket>(basket: B): Revised<B> {
  const { revision } = basket as { readonly revision?: unknown };
  return typeof revision === "number"
    ? (basket as Revised<B>)
    : { ...basket, revision: hashLines(basket) };
}

// --- Internal helpers ---

/** A hash of the lines and their quantities, as an integer that JSON can hold. */
function hashLines({ items }: CommerceBasket): number {
  const lines = items.map((line) => `${identify(line)}=${line.quantity}`).toSorted();
  return createHash("sha256").update(lines.join("\n")).digest().readUIntBE(0, 6);
}
