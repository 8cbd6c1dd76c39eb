// h3 1, which Nuxt 4 and Nitro 2 contain.
import { createServer } from "node:http";
import { createApp, defineEventHandler, fromNodeMiddleware, readBody, toNodeListener } from "h3-v1";
import { toNodeHandler } from "storefront-core/node";
import { renderPage, storefront } from "./storefront.js";

export async function start(port) {
  const app = createApp();
  const page = fromNodeMiddleware(toNodeHandler(renderPage));
  // The storefront also takes bodies that a handler has read.
  app.use(
    defineEventHandler(async (event) => {
      if (event.method === "POST") await readBody(event);
    }),
  );
  app.use(fromNodeMiddleware(toNodeHandler(storefront)));
  app.use(
    "/",
    defineEventHandler((event) => (event.path === "/" ? page(event) : undefined)),
  );
  const server = createServer(toNodeListener(app));
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}
