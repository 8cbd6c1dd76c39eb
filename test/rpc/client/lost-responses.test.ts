import { expect, test } from "vitest";
import * as z from "zod";
import { createRpcClient } from "../../../rpc/client.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { BuiltinMethods } from "../../../rpc/methods/builtin.ts";
import { createRpcCaller } from "../../../server/rpc-caller.ts";
import { createSetup } from "../../_setup.ts";

const setup = createSetup("memory", "request", () => ({ driver: "memory" }));
const line = { variantId: 7, quantity: 1 };

test("ten changes whose responses are lost count once each, alone and in batches", async () => {
  for (const batch of [false, true]) {
    const { rpc, lose } = await open({ batch });
    await rpc.addItemToBasket(line);
    lose(1);
    await Promise.all(Array.from({ length: 10 }, () => rpc.addItemToBasket(line)));
    lose(0);
    expect((await rpc.getBasket()).basket.itemCount).toBe(11);
  }
});

test("a method with another effect runs once, although two responses in a row are lost", async () => {
  const { rpc, lose, orders } = await open();
  await rpc.addItemToBasket(line);
  lose(2);
  expect(await rpc.order({ total: 5 })).toEqual({ order: 1 });
  expect(await rpc.order({ total: 5 })).toEqual({ order: 2 });
  expect(orders).toHaveLength(2);
});

test("a guest's first change counts once in the basket that the guest gets", async () => {
  const { rpc, lose } = await open();
  lose(1);
  expect((await rpc.addItemToBasket(line)).basket.itemCount).toBe(1);
  lose(0);
  expect((await rpc.getBasket()).basket.itemCount).toBe(1);
});

test("a page's calls in the same process have no key", async () => {
  const { app, keys } = await open();
  const page = createRpcCaller<Methods>(app, new Request("http://localhost/de/"));
  await page.order({ total: 5 });
  expect(keys).toEqual([null]);
});

// --- Internal helpers ---

type Methods = BuiltinMethods & ReturnType<typeof createMethods>;

function createMethods(orders: unknown[], keys: unknown[]) {
  return {
    order: defineRpcMethod({
      input: z.strictObject({ total: z.int() }),
      handler(total, { headers }) {
        keys.push(headers.get("idempotency-key"));
        return { order: orders.push(total) };
      },
    }),
  };
}

/** Opens a shop, and a client whose requests lose their responses after the server has sent them. */
async function open(options: { readonly batch?: boolean } = {}) {
  const orders: unknown[] = [];
  const keys: unknown[] = [];
  const { app } = await setup.start({ methods: createMethods(orders, keys) });
  const seen = new Map<string, number>();
  let times = 0;
  let cookie = "";
  const rpc = createRpcClient<Methods>({
    baseURL: "http://localhost/de",
    shopId: 1001,
    ...options,
    async fetch(request) {
      const text = `${request.headers.get("idempotency-key")}${await request.clone().text()}`;
      request.headers.set("cookie", cookie);
      const response = await app.fetch(request);
      const attempts = (seen.get(text) ?? 0) + 1;
      seen.set(text, attempts);
      // The browser gets no cookie of a lost response.
      if (attempts <= times) throw new TypeError("fetch failed");
      cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? cookie;
      return response;
    },
  });
  return { app, rpc, orders, keys, lose: (count: number) => void (times = count) };
}
