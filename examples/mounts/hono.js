import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { isStorefrontPath } from "storefront-core";
import { toFetchHandler } from "storefront-core/fetch";
import { renderPage, storefront } from "./storefront.js";

export async function start(port) {
  const app = new Hono();
  const calls = toFetchHandler(storefront);
  const page = toFetchHandler(renderPage);
  // `c.env` contains the connection, and so the client's address.
  app.use((c, next) =>
    isStorefrontPath(storefront, c.req.url) ? calls(c.req.raw, c.env) : next(),
  );
  app.all("/", (c) => page(c.req.raw, c.env));
  const server = await new Promise((resolve) => {
    const options = { fetch: app.fetch, port, hostname: "127.0.0.1" };
    const listening = serve(options, () => resolve(listening));
  });
  return `http://127.0.0.1:${server.address().port}`;
}
