import { defineHandler } from "nitro/h3";
import { createRpcCaller, respondWithCaller } from "storefront-core";
import { renderShop } from "../lib/page";
import { storefront, type Methods } from "../lib/storefront";

/** Rendered on the server: each call is a function call, as the visitor of the page. */
export default defineHandler(({ req }) => {
  const rpc = createRpcCaller<Methods>(storefront, req);
  return respondWithCaller(rpc, async () => {
    const [greeting, { basket }] = await Promise.all([rpc.greet(), rpc.getBasket()]);
    return renderShop(greeting, basket.itemCount);
  });
});
