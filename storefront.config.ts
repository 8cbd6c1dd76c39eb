import { defineRpcMethod, defineStorefrontConfig } from "storefront-core";
import * as z from "zod";

declare module "storefront-core" {
  interface SessionCustomData {
    newsletter: boolean;
  }
}

const { STOREFRONT_REDIS_URL: redisUrl, STOREFRONT_SESSION_SECRET: secret } = process.env;

export const methods = {
  /** Remembers for this session whether the visitor wants the newsletter. */
  setNewsletter: defineRpcMethod({
    input: z.strictObject({ wanted: z.boolean() }),
    handler({ wanted }, { updateCustomData }) {
      updateCustomData({ newsletter: wanted });
      return { newsletter: wanted };
    },
  }),

  /** Greets the visitor in the language of the shop. */
  greet: defineRpcMethod({
    readOnly: true,
    handler(_, { user, shop }) {
      const hello = shop.locale.startsWith("de") ? "Hallo" : "Hello";
      return `${hello}, ${user?.firstName ?? "guest"}!`;
    },
  }),
};

export default defineStorefrontConfig({
  shopSelector: "path",
  shops: [
    { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de" },
    {
      shopId: 1002,
      locale: "en-US",
      currency: "USD",
      path: "us",
      session: { maxAge: 4 * 3600, sameSite: "strict" },
    },
  ],
  session: {
    // Several secrets, separated by commas, while one is rotated out: the last signs, all verify.
    secret: secret?.split(","),
    maxAge: 14 * 86_400,
  },
  storage: {
    session: redisUrl ? { driver: "redis", url: redisUrl } : { driver: "memory" },
  },
  methods,
});
