import Fastify from "fastify";
import { toFastifyPlugin } from "storefront-core/fastify";
import { toNodeHandler } from "storefront-core/node";
import { renderPage, storefront } from "./storefront.js";

/** Calls are at `/shop/api/rpc/…`. */
export async function start(port) {
  const app = Fastify();
  await app.register(toFastifyPlugin(storefront), { prefix: "/shop" });
  app.addContentTypeParser("application/x-www-form-urlencoded", (_request, _body, done) => {
    done(null);
  });
  const page = toNodeHandler(renderPage);
  app.all("/", (request, reply) => {
    reply.hijack();
    page(request.raw, reply.raw);
  });
  return app.listen({ port, host: "127.0.0.1" });
}
