import { defineRpcMethod } from "../method.ts";

/** What a frontend may know of the shop. */
export const getShopConfiguration = defineRpcMethod({
  access: "public",
  readOnly: true,
  handler(_, { shop }) {
    return shop;
  },
});
