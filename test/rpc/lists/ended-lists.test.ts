import { expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createSetup } from "../../_setup.ts";
import { testMethods } from "../../fixtures/methods.ts";

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
const line = { variantId: 7, quantity: 1 };

/** The calls that change a list of a user. Such a list outlives the session. */
const changes: readonly [method: string, payload: unknown][] = [
  ["addItemToBasket", line],
  ["addItemsToBasket", { items: [line] }],
  ["updateBasketItem", { itemKey: "", quantity: 2 }],
  ["removeItemFromBasket", { itemKey: "" }],
  ["clearBasket", undefined],
  ["addItemToWishlist", { variantId: 7 }],
  ["removeItemFromWishlist", { itemKey: "" }],
  ["clearWishlist", undefined],
];

test.each(changes)(
  "%s changes no list of a user whose session ended during the call",
  async (method, payload) => {
    let end: (() => Promise<void>) | undefined;
    const slowly = defineRpcMethod({
      async handler(_, { callRpc }) {
        await end?.();
        const [{ key: itemKey } = { key: "" }] = await itemsOf(callRpc, method);
        const isOfItem = payload !== undefined && Object.hasOwn(payload as object, "itemKey");
        await callRpc(method, isOfItem ? { ...(payload as object), itemKey } : payload);
      },
    });
    const { client } = await start({ methods: { ...testMethods, slowly } });
    const [user, other] = [client(), client()];
    for (const device of [user, other]) await device.call("enter", { id: 7 });
    await user.call("addItemToBasket", { variantId: 1, quantity: 1 });
    await user.call("addItemToWishlist", { variantId: 1 });
    const lists = async () => [
      (await other.call("getBasket")).body,
      (await other.call("getWishlist")).body,
    ];
    const before = await lists();
    end = async () => void (await user.clone().call("logout"));
    const answer = await user.call("slowly");
    expect(answer).toMatchObject({ status: 409, body: { code: "session_changed" } });
    expect(await lists()).toEqual(before);
  },
);

// --- Internal helpers ---

/** The items of the list that a method changes. */
async function itemsOf(
  callRpc: (method: string) => Promise<unknown>,
  method: string,
): Promise<readonly { key: string }[]> {
  const name = method.endsWith("Wishlist") ? "wishlist" : "basket";
  const answer = (await callRpc(name === "basket" ? "getBasket" : "getWishlist")) as Readonly<
    Record<string, { items: readonly { key: string }[] }>
  >;
  return answer[name]?.items ?? [];
}
