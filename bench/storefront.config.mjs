/** The measured server: one shop, and an `auth` that accepts every password, because a password hash is slow by intent. */
import { defineRpcMethod, defineStorefrontConfig } from "storefront-core";
import * as z from "zod";
import { createUser } from "./user.mjs";

const {
  BENCH_REDIS_URL: url,
  BENCH_CACHE,
  BENCH_TRANSPORT = "cookie",
  BENCH_TELEMETRY,
} = process.env;

const refuse = () => Promise.reject(new Error("Not in the bench"));

export const methods = {
  /** A custom method that returns the same as `getUser`. */
  showUser: defineRpcMethod({ readOnly: true, handler: (_, { user }) => ({ user }) }),
  setField: defineRpcMethod({
    input: z.strictObject({ value: z.number() }),
    handler({ value }, { updateCustomData }) {
      updateCustomData({ field: value });
      return { value };
    },
  }),
};

export default defineStorefrontConfig({
  shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
  session: {
    secret: "a secret that only this benchmark uses",
    tokenMethod: BENCH_TRANSPORT,
    cache: BENCH_CACHE === "off" ? false : undefined,
  },
  storage: {
    session: url ? { driver: "redis", url } : { driver: "memory" },
    singleProcess: !url,
  },
  auth: {
    login: async ({ email }) => createUser(email),
    register: refuse,
    changePassword: refuse,
  },
  methods,
  telemetry: await openTelemetryOf(BENCH_TELEMETRY),
  log: BENCH_TELEMETRY === "lines" ? { calls: "all" } : undefined,
});

/** Loads only the telemetry that the row needs, because the table of starts uses this config, too. */
async function openTelemetryOf(name) {
  if (name === "metrics") return [(await import("storefront-core/prometheus")).prometheus()];
  if (name !== "tracing") return undefined;
  return [(await import("storefront-core/opentelemetry")).openTelemetry()];
}
