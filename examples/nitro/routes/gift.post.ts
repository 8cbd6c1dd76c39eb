import { defineHandler } from "nitro/h3";
import { createRpcCaller, respondWithCaller } from "storefront-core";
import { renderShop } from "../lib/page";
import { storefront, type Methods } from "../lib/storefront";

/** Writes twice: both calls are in one session, also for a new visitor. */
export default defineHandler(({ req }) => {
  const rpc = createRpcCaller<Methods>(storefront, req);
  return respondWithCaller(rpc, async () => {
    await rpc.addItemToBasket({ variantId: 3, quantity: 1 });
    const { basket } = await rpc.addItemToBasket({ variantId: 4, quantity: 1 });
    return renderShop(await rpc.greet(), basket.itemCount);
  });
});
