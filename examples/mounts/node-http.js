import { createServer } from "node:http";
import { isStorefrontPath } from "storefront-core";
import { toNodeHandler } from "storefront-core/node";
import { renderPage, storefront } from "./storefront.js";

export async function start(port) {
  const calls = toNodeHandler(storefront);
  const page = toNodeHandler(renderPage);
  const server = createServer((request, response) => {
    const handler = isStorefrontPath(storefront, request.url) ? calls : page;
    return handler(request, response);
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}
