import { defineRpcMethod } from "storefront-core";

/** Greets the visitor. */
export const greet = defineRpcMethod({
  readOnly: true,
  handler: (_, { user }) => `Hello, ${user?.firstName ?? "guest"}!`,
});
