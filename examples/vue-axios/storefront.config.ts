import type { StorefrontConfig } from "../../server/index.ts";

export default {
  shops: [{ shopId: 1001, locale: "en-GB", currency: "GBP" }],
  // Another port is another origin, so cors must allow it. It is the same site, so the cookie can stay "lax".
  cors: { origin: [process.env["PAGE_ORIGIN"] ?? "http://localhost:5173"] },
} satisfies StorefrontConfig;
