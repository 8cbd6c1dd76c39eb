// The storefront of all examples, and a page that the server renders.
import {
  createRpcCaller,
  createStorefront,
  defineRpcMethod,
  respondWithCaller,
} from "storefront-core";

export const storefront = createStorefront({
  shops: [{ shopId: 1001, locale: "en-GB", currency: "GBP" }],
  // The proxy that terminates TLS runs on the same machine.
  trustProxy: ["loopback"],
  session: { secret: process.env.STOREFRONT_SESSION_SECRET },
  methods: {
    showAddress: defineRpcMethod({ readOnly: true, handler: (_, { ip }) => ip ?? null }),
  },
});

/** Renders the page; its form adds two products. */
export function renderPage(request) {
  const rpc = createRpcCaller(storefront, request);
  return respondWithCaller(rpc, async () => {
    if (request.method === "POST") {
      for (const variantId of [7, 8]) await rpc.addItemToBasket({ variantId, quantity: 1 });
    }
    const [{ basket }, { user }] = await Promise.all([rpc.getBasket(), rpc.getUser()]);
    const html = `<!doctype html>
<title>Shop</title>
<h1>${basket.itemCount} items</h1>
<p>${user ? "A customer" : "A guest"}</p>
<form method="post"><button>Add two products</button></form>`;
    return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
  });
}
