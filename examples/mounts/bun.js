// Needs Bun: npm run start:bun
import { isStorefrontPath } from "storefront-core";
import { toFetchHandler } from "storefront-core/fetch";
import { renderPage, storefront } from "./storefront.js";

export async function start(port) {
  const calls = toFetchHandler(storefront);
  const page = toFetchHandler(renderPage);
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    fetch(request, bun) {
      if (isStorefrontPath(storefront, request.url)) return calls(request, bun);
      if (new URL(request.url).pathname === "/") return page(request, bun);
      return new Response("Not found", { status: 404 });
    },
  });
  return server.url.origin;
}
