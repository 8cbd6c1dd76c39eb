import { defineRpcMethod } from "../method.ts";

/** Returns the public settings of the shop. */
export const getShopConfiguration = defineRpcMethod({
  access: "public",
  readOnly: true,
  handler(_, { shop }) {
    return shop;
  },
});
