import { defineRpcMethod, defineStorefrontConfig } from "../../../dist/server/index.js";

export default defineStorefrontConfig({
  trustProxy: ["127.0.0.1"],
  server: { drainDelay: 3 },
  session: { secret: process.env.TEST_SECRET },
  shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR", host: "shop.example" }],
  methods: {
    getAddress: defineRpcMethod({ handler: (_, { ip }) => ({ ip }) }),
    remember: defineRpcMethod({
      handler: (_, { updateCustomData }) => updateCustomData({ remembered: true }),
    }),
    recall: defineRpcMethod({ handler: (_, { customData }) => customData }),
    getNothing: defineRpcMethod({ access: "public", handler: () => ({}) }),
  },
});
