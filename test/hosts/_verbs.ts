import { expect } from "vitest";
import type { CookieClient } from "../_cookie-client.ts";

/** Sends calls by PUT and DELETE, with a body and with the payload in the query, as one visitor of a host. */
export async function expectVerbs(client: CookieClient): Promise<void> {
  const send = async (method: string, name: string, payload: unknown, isInQuery = false) => {
    const text = JSON.stringify(payload);
    const query = isInQuery ? `?payload=${encodeURIComponent(text)}` : "";
    const answer = await client.request(`/api/rpc/${name}${query}`, {
      method,
      headers: {
        "x-shop-id": String(client.shopId),
        ...(!isInQuery && { "content-type": "application/json" }),
      },
      ...(!isInQuery && { body: `{"payload":${text}}` }),
    });
    expect([method, name, answer.status]).toEqual([method, name, 200]);
    return answer.body.basket.items;
  };
  await client.call("clearBasket");
  const [first] = await send("PUT", "addItemToBasket", { variantId: 71, quantity: 1 });
  const [, second] = await send("PUT", "addItemToBasket", { variantId: 72, quantity: 1 });
  await send("DELETE", "removeItemFromBasket", { itemKey: first.key });
  const rest = await send("DELETE", "removeItemFromBasket", { itemKey: second.key }, true);
  expect(rest).toEqual([]);
  const { status, headers } = await client.request("/api/rpc/clearBasket", { method: "GET" });
  expect([status, headers.get("allow")]).toEqual([405, "DELETE, POST"]);
}
