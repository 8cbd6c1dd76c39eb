import express from "express";
import { toNodeHandler } from "storefront-core/node";
import { renderPage, storefront } from "./storefront.js";

/** Calls are at `/shop/api/rpc/…`. */
export async function start(port) {
  const app = express();
  app.use("/shop", toNodeHandler(storefront));
  app.all("/", toNodeHandler(renderPage));
  const server = await new Promise((resolve) => {
    const listening = app.listen(port, "127.0.0.1", () => resolve(listening));
  });
  return `http://127.0.0.1:${server.address().port}`;
}
