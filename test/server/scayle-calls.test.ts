import { FetchError, ofetch } from "ofetch";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { RpcError } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { CookieClient } from "../_cookie-client.ts";
import { createSetup, type TestStorefront } from "../_setup.ts";

/*
 * The calls of a frontend with @scayle/storefront-nuxt 8.62: it sends each method by the HTTP method of a manifest, with
 * ofetch. The payload of a GET is in the query, and that of every other HTTP method in the body.
 */

/** The HTTP methods of SCAYLE's own methods, as its manifest has them. */
const verbs: Readonly<Record<string, "GET" | "POST" | "PUT" | "DELETE">> = {
  addItemToBasket: "PUT",
  addItemsToBasket: "PUT",
  updateBasketItem: "PUT",
  updatePromotions: "PUT",
  removeItemFromBasket: "DELETE",
  clearBasket: "DELETE",
  addItemToWishlist: "PUT",
  removeItemFromWishlist: "DELETE",
  clearWishlist: "DELETE",
  updatePassword: "PUT",
  updateShopUser: "PUT",
  getShopConfiguration: "GET",
  getProductById: "GET",
  getExternalIdpRedirect: "GET",
};

const methods = {
  getProductById: defineRpcMethod({
    access: "public",
    verb: "GET",
    input: z.object({ id: z.int(), with: z.json().optional() }),
    handler: ({ id, with: included }) => ({ id, name: "Süße Hose & mehr", with: included }),
  }),
  getExternalIdpRedirect: defineRpcMethod({
    verb: "GET",
    input: z.object({}).optional(),
    handler: (_, { user }) => ({ google: `https://id.example/?user=${user?.id ?? "guest"}` }),
  }),
  updateShopUser: defineRpcMethod({
    verb: "PUT",
    input: z.json(),
    handler: (payload, { callRpc }) => callRpc("updateUser", payload),
  }),
  updatePromotions: defineRpcMethod({
    verb: "PUT",
    input: z.json(),
    handler() {
      throw new RpcError("out_of_stock", { status: 409, title: "Sold out" });
    },
  }),
};

describe.each(["request", "server"] as const)("a frontend of SCAYLE · %s", (server) => {
  const { start } = createSetup("memory", server, () => ({ driver: "memory" }));

  test("calls every method by its HTTP method", async () => {
    const { call } = open(await start({ methods }));
    expect(await call("getBasket")).toMatchObject({ basket: { itemCount: 0 } });
    const added = await call("addItemToBasket", { variantId: 7, quantity: 2 });
    const { key } = added.basket.items[0];
    await call("addItemsToBasket", { items: [{ variantId: 8, quantity: 1 }] });
    const updated = await call("updateBasketItem", { itemKey: key, quantity: 3 });
    expect(updated.basket.itemCount).toBe(4);
    expect((await call("removeItemFromBasket", { itemKey: key })).basket.itemCount).toBe(1);
    expect((await call("clearBasket")).basket.itemCount).toBe(0);
    await call("addItemToWishlist", { variantId: 7 });
    const { wishlist } = await call("getWishlist");
    const { key: itemKey } = wishlist.items[0];
    expect((await call("removeItemFromWishlist", { itemKey })).wishlist.items).toEqual([]);
    expect((await call("clearWishlist")).wishlist.items).toEqual([]);
  });

  test("sends the payload of a GET in the query", async () => {
    const { call } = open(await start({ methods }));
    const payload = { id: 7, with: { attributes: ["farbe & größe", "a+b", "100 %"], deep: [1] } };
    expect(await call("getProductById", payload)).toEqual({ name: "Süße Hose & mehr", ...payload });
    expect(await call("getShopConfiguration")).toMatchObject({ shopId: 1001 });
    expect(await call("getShopConfiguration", {})).toMatchObject({ shopId: 1001 });
  });

  test("sees its session with every HTTP method", async () => {
    const { call, visitor } = open(await start({ methods }));
    const account = { email: "ada@shop.example", password: "correct horse battery" };
    await call("register", account);
    const { user } = await call("updateShopUser", { firstName: "Ada" });
    expect(user.firstName).toBe("Ada");
    expect((await call("getExternalIdpRedirect", {})).google).toContain(`user=${user.id}`);
    const { sessionId } = visitor;
    const newPassword = "another horse battery";
    await call("updatePassword", { oldPassword: account.password, newPassword });
    expect(visitor.sessionId).not.toBe(sessionId);
    expect((await call("getUser")).user.id).toBe(user.id);
  });

  test("reads status and reason phrase of a failure", async () => {
    const { call } = open(await start({ methods }));
    const failure = await call("updatePromotions", []).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FetchError);
    expect(failure).toMatchObject({
      statusCode: 409,
      // Over HTTP, or as the Response has it.
      statusMessage: "Conflict",
      data: { status: 409, title: "Sold out", code: "out_of_stock" },
    });
  });
});

/** The frontend's calls, with a browser's cookies. */
function open({ client, send }: TestStorefront) {
  const visitor: CookieClient = client();
  const $fetch = ofetch.create({ retry: 0 }, {
    fetch: async (url: string, init: RequestInit) => {
      const headers = new Headers(init.headers);
      if (visitor.cookies.size > 0) headers.set("cookie", visitor.cookieHeader);
      const response = await send(url, { ...init, headers });
      for (const line of response.headers.getSetCookie()) {
        const [name = "", value = ""] = (line.split(";", 1)[0] as string).split("=");
        visitor.cookies.set(name, value);
      }
      return response;
    },
  } as object);
  const call = (method: string, payload?: unknown) => {
    const verb = verbs[method] ?? "POST";
    const headers = { "x-shop-id": "1001" };
    const path = `/api/rpc/${method}`;
    if (verb !== "GET") return $fetch(path, { method: verb, headers, body: { payload } });
    const params = payload === undefined ? undefined : { payload: JSON.stringify(payload) };
    return $fetch(path, { method: verb, headers, ...(params && { params }) });
  };
  return { call, visitor };
}
