import { H3, serve } from "h3";
import { renderPage, storefront } from "./storefront.js";

export async function start(port) {
  const app = new H3();
  app.mount("", storefront);
  app.all("/", (event) => renderPage(event.req));
  const server = serve(app, { port, hostname: "127.0.0.1", silent: true });
  await server.ready();
  return new URL(server.url).origin;
}
