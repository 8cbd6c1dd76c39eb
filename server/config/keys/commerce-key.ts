import type {
  Baskets,
  CommerceBackend,
  CommerceBasket,
  CommerceWishlist,
  Grants,
  Wishlists,
} from "../../../rpc/commerce/commerce-backend.ts";
import type { Grant } from "../../../rpc/commerce/visit.ts";
import { authMembers } from "./auth-key.ts";
import { hasMembers, isFunction, openObject, optional, type Members } from "./open-object.ts";

const grants: Members<Grants<Grant>> = {
  begin: optional(isFunction),
  renew: optional(isFunction),
  end: optional(isFunction),
  endsAll: optional(isBoolean),
  lifetime: optional((found) => typeof found === "number"),
};

const baskets: Members<Baskets<Grant, CommerceBasket>> = {
  read: isFunction,
  set: isFunction,
  addCode: optional(isFunction),
  removeCode: optional(isFunction),
  joinsAtLogin: optional(isBoolean),
};

const wishlists: Members<Wishlists<Grant, CommerceWishlist>> = {
  read: isFunction,
  set: isFunction,
  joinsAtLogin: optional(isBoolean),
};

const parts = { grants, accounts: authMembers, baskets, wishlists };

const backend: Members<CommerceBackend> = {
  name: (found) => typeof found === "string",
  timeout: optional((found) => typeof found === "number" && found > 0 && found < 10),
  check: optional(isFunction),
  grants: optional((found) => hasMembers(found, grants)),
  accounts: optional((found) => hasMembers(found, authMembers)),
  baskets: optional((found) => hasMembers(found, baskets)),
  wishlists: optional((found) => hasMembers(found, wishlists)),
  methods: optional((found) => typeof found === "object" && found !== null),
};

/** The key `commerce` of the top level and of a shop. */
export const commerceKey = openObject<CommerceBackend>(
  backend,
  "the backend of a commerce system: an object with a name, a timeout below 10 seconds, and grants, accounts, baskets, wishlists, or methods",
  parts,
);

// --- Internal helpers ---

function isBoolean(found: unknown): boolean {
  return typeof found === "boolean";
}
