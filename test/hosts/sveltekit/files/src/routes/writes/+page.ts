import { createRpc } from "$lib/rpc";

/** Writes at the same time: in calls of their own, and in one of an endpoint. */
export async function load({ fetch }) {
  const rpc = createRpc(fetch);
  await Promise.all([
    rpc.addItemToBasket({ variantId: 1, quantity: 1 }),
    rpc.addItemToBasket({ variantId: 2, quantity: 1 }),
    fetch("/endpoint", { method: "POST" }),
  ]);
  return { basket: (await rpc.getBasket()).basket };
}
