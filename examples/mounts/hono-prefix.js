import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { toFetchHandler } from "storefront-core/fetch";
import { renderPage, storefront } from "./storefront.js";

/** Calls are at `/shop/api/rpc/…`. */
export async function start(port) {
  const app = new Hono();
  const page = toFetchHandler(renderPage);
  app.mount("/shop", toFetchHandler(storefront), (c) => c.env);
  app.all("/", (c) => page(c.req.raw, c.env));
  const server = await new Promise((resolve) => {
    const options = { fetch: app.fetch, port, hostname: "127.0.0.1" };
    const listening = serve(options, () => resolve(listening));
  });
  return `http://127.0.0.1:${server.address().port}`;
}
