/** Our server as an h3 app that you serve by yourself: without batching, and through h3's router. */
import { serve } from "h3";
import { createStorefront } from "storefront-core";
import { announce } from "./listen.mjs";
import config from "./storefront.config.mjs";

const server = serve(createStorefront(config), { port: 0, hostname: "127.0.0.1", silent: true });
await server.ready();
announce(server.url);
