import type { CommerceBackend } from "../../../rpc/commerce/commerce-backend.ts";
import { isAuth } from "./auth-key.ts";
import { hasFunctions, value } from "./config-key.ts";

/** The key `commerce` of the top level and of a shop. */
export const commerceKey = value<CommerceBackend>(
  isBackend,
  "the backend of a commerce system: an object with a name, a timeout below 10 seconds, and grants, accounts, baskets, wishlists, or methods",
);

// --- Internal helpers ---

function isBackend(found: unknown): boolean {
  if (typeof found !== "object" || found === null) return false;
  const fields = found as Partial<Record<keyof CommerceBackend, unknown>>;
  const { name, timeout = 1, grants = {}, accounts, baskets, wishlists } = fields;
  return (
    typeof name === "string" &&
    typeof timeout === "number" &&
    timeout > 0 &&
    timeout < 10 &&
    typeof grants === "object" &&
    (accounts === undefined || isAuth(accounts)) &&
    [baskets, wishlists].every((port) => port === undefined || hasFunctions(port, ["read", "set"]))
  );
}
