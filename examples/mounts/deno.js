// Needs Deno: npm run start:deno
import { isStorefrontPath } from "storefront-core";
import { toFetchHandler } from "storefront-core/fetch";
import { renderPage, storefront } from "./storefront.js";

export async function start(port) {
  const calls = toFetchHandler(storefront);
  const page = toFetchHandler(renderPage);
  const server = Deno.serve({ port, hostname: "127.0.0.1", onListen() {} }, (request, info) => {
    if (isStorefrontPath(storefront, request.url)) return calls(request, info);
    if (new URL(request.url).pathname === "/") return page(request, info);
    return new Response("Not found", { status: 404 });
  });
  return `http://127.0.0.1:${server.addr.port}`;
}
