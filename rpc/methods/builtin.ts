import { withOwnKeys } from "../idempotency/idempotency-key.ts";
import { defineRpcMethod } from "../define-method.ts";
import * as accountMethods from "./account-methods.ts";
import * as recoveryMethods from "./recovery-methods.ts";
import * as basketMethods from "./basket-methods.ts";
import * as sessionMethods from "./session-methods.ts";
import * as wishlistMethods from "./wishlist-methods.ts";

/** Returns the public settings of the shop. */
const getShopConfiguration = defineRpcMethod({
  access: "public",
  readOnly: true,
  handler: (_, { shop }) => shop,
});

/** The built-in methods: all exports of the imported files. A method of the config with the same name replaces one. */
export const builtinMethods = {
  ...accountMethods,
  ...recoveryMethods,
  ...sessionMethods,
  ...basketMethods,
  ...wishlistMethods,
  getShopConfiguration,
};

// Each of them changes one list, in the same write as the key.
for (const method of Object.values({ ...basketMethods, ...wishlistMethods })) withOwnKeys(method);

/** The names and types of the built-in methods, for `createRpcClient`. */
export type BuiltinMethods = typeof builtinMethods;
