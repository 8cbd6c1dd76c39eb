import * as fc from "fast-check";
import createMemoryDriver from "unstorage/drivers/memory";
import { expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { slowDown } from "../../_documents.ts";
import { createSetup } from "../../_setup.ts";
import { line, withKey } from "../../fixtures/counting-methods.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";

const setup = createSetup("memory", "request", () => slowDown(createMemoryDriver()));

const methods = {
  begin: defineRpcMethod({
    handler: (_, { updateCustomData }) => updateCustomData({ begun: 1 } as object),
  }),
  /** Each run leaves a field of its own. */
  order: defineRpcMethod({
    async handler(_, { customData, updateCustomData }) {
      updateCustomData({ [`order-${crypto.randomUUID()}`]: 1 } as object);
      await Promise.resolve();
      return Object.keys(customData).length;
    },
  }),
  list: defineRpcMethod({ readOnly: true, handler: (_, { customData }) => customData }),
};

/** Calls that run at the same time: changes with one of six keys, and logins. */
const step = fc.array(
  fc.record({ change: fc.constantFrom("add", "order", "wish", "login"), key: fc.nat(5) }),
  { minLength: 1, maxLength: 5 },
);

test("each key changes a visitor's data once, whatever is repeated or runs in parallel", async () => {
  const { client } = await setup.start({ methods, auth: trustingAuth });
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 6 }),
    async (steps) => {
      const visitor = client();
      await visitor.call("begin");
      const used = { add: new Set<number>(), order: new Set<number>(), wish: new Set<number>() };
      for (const calls of steps) {
        await Promise.all(
          calls.map(async ({ change, key }) => {
            if (change === "login") return visitor.call("login", as(7 + runs));
            used[change].add(key);
            return make(visitor, change, key);
          }),
        );
      }
      // A call that met a login can have failed, so each one is repeated.
      for (const change of ["add", "order", "wish"] as const) {
        for (const key of used[change]) {
          expect(await make(visitor, change, key)).toMatchObject({ status: 200 });
        }
      }
      const { basket } = (await visitor.call("getBasket")).body;
      const { wishlist } = (await visitor.call("getWishlist")).body;
      const { body } = await visitor.call("list");
      expect({
        add: basket.itemCount,
        order: Object.keys(body).filter((name) => name.startsWith("order-")).length,
        wish: wishlist.items.length,
      }).toEqual({ add: used.add.size, order: used.order.size, wish: used.wish.size });
      runs++;
    },
  );
  let runs = 0;
  await fc.assert(property, { numRuns: 50 });
}, 120_000);

// --- Internal helpers ---

function make(visitor: CookieClient, change: "add" | "order" | "wish", key: number) {
  const headers = withKey(`${change}-${key}`);
  if (change === "add") return visitor.call("addItemToBasket", line, headers);
  if (change === "wish") return visitor.call("addItemToWishlist", { variantId: key + 1 }, headers);
  return visitor.call("order", undefined, headers);
}
