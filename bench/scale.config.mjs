/** The measured server, with methods that fill its memory and read its heap size. */
import { defineRpcMethod, defineStorefrontConfig } from "storefront-core";
import { openDocumentStore, openDriver } from "storefront-core/storage";
import * as z from "zod";
import { fillStore } from "./others.mjs";
import config, { methods } from "./storefront.config.mjs";

const { BENCH_REDIS_URL } = process.env;
const driver = BENCH_REDIS_URL ? undefined : openDriver({ driver: "memory" });
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function readHeap() {
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

export default defineStorefrontConfig({
  ...config,
  // In seconds. The default is too short to create a million sessions.
  callTimeout: 900,
  storage: { ...config.storage, session: driver ?? config.storage.session },
  methods: {
    ...methods,
    fill: defineRpcMethod({
      input: z.strictObject({
        kind: z.enum(["sessions", "users"]),
        count: z.number(),
        expiresAt: z.number().optional(),
      }),
      async handler({ kind, count, expiresAt }) {
        await fillStore(openDocumentStore(driver, { log: quiet }), kind, count, expiresAt);
        return true;
      },
    }),
    readHeap: defineRpcMethod({ handler: readHeap }),
    endAll: defineRpcMethod({
      input: z.strictObject({ userId: z.string() }),
      async handler({ userId }, { destroySessionsForUserId }) {
        const startedAt = performance.now();
        const ended = await destroySessionsForUserId(userId);
        return { ended, milliseconds: performance.now() - startedAt };
      },
    }),
  },
});
