// The conversation in a worker; the path names the storage. Other paths are calls of a storefront for all requests.
import { createStorefront, defineRpcMethod } from "storefront-core";
import { createDurableObjectDriver } from "storefront-core/durable-object";
import createKvDriver from "unstorage/drivers/cloudflare-kv-binding";
import { converse } from "./conversation.mjs";

export { StorefrontDocument } from "storefront-core/durable-object";

// Created while the module loads, as most programs do.
const config = {
  shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
  session: { secret: "a-secret-for-tests-only-of-more-than-32-characters" },
  callTimeout: 1,
  methods: {
    slow: defineRpcMethod({ handler: () => new Promise((resolve) => setTimeout(resolve, 20_000)) }),
  },
};
const inMemory = createStorefront(config, { production: false });
let inObjects;

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    const durable = (base) => createDurableObjectDriver({ namespace: env.DOCUMENTS, base });
    const conversations = {
      "/memory": () => converse(createStorefront, { driver: "memory" }),
      "/durable-object": () => converse(createStorefront, durable(crypto.randomUUID())),
      "/kv": () =>
        converse(createStorefront, createKvDriver({ binding: env.KV }), { isAtomic: false }),
    };
    const run = conversations[pathname];
    if (run !== undefined) return Response.json(await run());
    inObjects ??= createStorefront(
      { ...config, storage: { session: durable("shared") } },
      { production: false },
    );
    const response = (request.headers.has("x-memory") ? inMemory : inObjects).fetch(request);
    context.waitUntil(response);
    return response;
  },
};
