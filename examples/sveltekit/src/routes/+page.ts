import { createRpc } from "$lib/rpc";

/** Runs on the server for the first page, and in the browser after that. */
export async function load({ fetch }) {
  const rpc = createRpc(fetch);
  const [greeting, { basket }] = await Promise.all([rpc.greet(), rpc.getBasket()]);
  return { greeting, basket };
}
