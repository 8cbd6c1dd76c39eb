import { defineRpcMethod } from "storefront-core";

/** Greets the visitor. */
export const greet = defineRpcMethod({
  readOnly: true,
  handler: (_, { customData }) => `Hello, ${customData.name ?? "guest"}!`,
});
