import { expect, onTestFinished, test } from "vitest";
import { defineCommerceMethod } from "../../../rpc/commerce/commerce-method.ts";
import type { Visit } from "../../../rpc/commerce/visit.ts";
import { RpcError } from "../../../rpc/error.ts";
import { createTestBackend, type TestGrant } from "../../_commerce-backend.ts";
import { startCommerceSystem } from "../../_commerce-system.ts";
import { describeLastingStorages } from "../../_lasting-storages.ts";
import { describeStorages } from "../../_setup.ts";
import { createCountingSystem, openCall, openGrantServer } from "../../fixtures/grant-calls.ts";

describeLastingStorages("a grant that comes after the end of its session", (createStorage) => {
  test("ends at the system, and isn't stored", async () => {
    const system = createCountingSystem();
    const storage = createStorage();
    const server = openGrantServer(storage, system);
    const user = await openCall(server);
    await user.logIn(7);
    await user.grants.put({ token: "login" } as TestGrant);
    const other = openGrantServer(storage, system);
    // For example a change of the password, while the user logs out in another tab.
    const slow = await openCall(other, user.id());
    await user.session.context.destroySession();
    expect(system.ended).toEqual(["login"]);
    await slow.grants.put({ token: "late" } as TestGrant);
    expect(system.ended).toEqual(["login", "late"]);
    expect(await slow.grants.find().catch(() => undefined)).toBeUndefined();
  });
});

describeStorages("a pending merge", (setup) => {
  test("completes in a method with the verb GET", async () => {
    const system = await startCommerceSystem("carts");
    onTestFinished(() => system.close());
    const backend = createTestBackend({ url: system.url, kind: "carts" });
    const methods = {
      seeBasket: defineCommerceMethod({
        verb: "GET",
        handler: (_, visit: Visit<TestGrant>) => backend.baskets.read(visit),
      }),
    };
    const { client, lines } = await setup.start({ commerce: backend, methods });
    const guest = client();
    const credentials = { email: "ada@shop.example", password: "a long password" };
    await guest.call("register", credentials);
    await guest.call("logout");
    await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    system.fault = (request) => (request === "GET /cart" ? "fail" : undefined);
    expect((await guest.call("login", credentials)).body.merge.status).toBe("pending");
    system.fault = undefined;
    lines.length = 0;
    const headers = { "x-shop-id": "1001" };
    const { body } = await guest.request("/api/rpc/seeBasket", { headers });
    expect(body).toMatchObject({ items: [{ variantId: "7", quantity: 1 }] });
    expect(lines.filter(({ level }) => level === "warn")).toEqual([]);
  });
});

describeStorages("a grant that the system rejects in the middle of a method", (setup) => {
  test("gets renewed, and the visitor stays logged in", async () => {
    const system = await startCommerceSystem("carts");
    onTestFinished(() => system.close());
    const backend = createTestBackend({ url: system.url, kind: "carts" });
    const methods = {
      confirm: defineCommerceMethod({
        async handler(_, visit: Visit<TestGrant>) {
          await visit.fetch(`${system.url}/orders`, { method: "POST" });
          await visit.fetch(`${system.url}/orders`, { method: "POST" });
          throw new RpcError("session_ended");
        },
      }),
    };
    setup.allowErrors();
    const commerce = { ...backend, grants: { ...backend.grants, renew: keep } };
    const { client } = await setup.start({ commerce, methods });
    const browser = client();
    await browser.call("register", { email: "ada@shop.example", password: "a long password" });
    const sent = system.requests.length;
    expect(await browser.call("confirm")).toMatchObject({
      status: 502,
      body: { code: "commerce_failed" },
    });
    expect(system.requests.slice(sent)).toEqual(["POST /orders", "POST /orders"]);
    expect((await browser.call("getUser")).body.user.email).toBe("ada@shop.example");
  });
});

/** Renews nothing, but keeps the login. */
async function keep<G>({ grant }: { readonly grant: G }): Promise<G> {
  return grant;
}
