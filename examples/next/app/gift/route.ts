import { createRpcCaller, respondWithCaller } from "storefront-core";
import { storefront, type Methods } from "../../lib/storefront";

/** Puts two products into the visitor's basket, and shows the page. */
export function POST(request: Request): Promise<Response> {
  const rpc = createRpcCaller<Methods>(storefront, request);
  return respondWithCaller(rpc, async () => {
    await Promise.all([
      rpc.addItemToBasket({ variantId: 1, quantity: 1 }),
      rpc.addItemToBasket({ variantId: 2, quantity: 1 }),
    ]);
    return new Response(null, { status: 303, headers: { location: "/" } });
  });
}
