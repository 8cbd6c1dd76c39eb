import { defineStorefrontConfig } from "../../../dist/server/index.js";

export default defineStorefrontConfig({
  trustProxy: process.env.TEST_TRUST === "" ? [] : [process.env.TEST_TRUST ?? "127.0.0.1"],
  ...(process.env.TEST_TOKEN && { admin: { token: process.env.TEST_TOKEN } }),
  server: { keepAliveTimeout: Number(process.env.TEST_KEEP_ALIVE ?? 65) },
  session: { secret: process.env.TEST_SECRET },
  shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
});
