import { defineRpcMethod, defineStorefrontConfig } from "storefront-core";
import * as z from "zod";

declare module "storefront-core" {
  interface SessionCustomData {
    name: string;
  }
}

export const methods = {
  greet: defineRpcMethod({
    readOnly: true,
    handler: (_, { customData }) => `Hello, ${customData.name ?? "guest"}!`,
  }),
  setName: defineRpcMethod({
    input: z.strictObject({ name: z.string().min(1).max(40) }),
    handler: ({ name }, { updateCustomData }) => updateCustomData({ name }),
  }),
};

export default defineStorefrontConfig({
  shops: [{ shopId: 1001, locale: "en-GB", currency: "GBP" }],
  methods,
});
