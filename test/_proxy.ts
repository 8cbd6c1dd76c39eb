import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "h3";
import { onTestFinished } from "vitest";
import { createStorefront } from "../server/storefront.ts";
import type { StorefrontConfig } from "../server/config/config.ts";
import { createTestLog } from "../server/testing/test-log.ts";
import { forProduction, testConfig } from "./_setup.ts";

/** A storefront behind a proxy that rewrites the Host header. */
export async function openBehindProxy(config: Partial<StorefrontConfig> = {}) {
  const { log } = createTestLog();
  const app = createStorefront(testConfig({ ...forProduction, log, ...config }), {
    production: true,
  });
  onTestFinished(() => app.close());
  const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
  onTestFinished(() => server.close(true));
  await server.ready();
  const upstream = new URL(server.url as string);
  const proxy = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const options = { method, path, headers: { ...headers, host: upstream.host } };
    const sent = request(upstream, options, (answer) => {
      outgoing.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(sent);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void proxy.close());
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  return async (headers: Record<string, string>) => {
    const sent = request({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: "/de/api/rpc/addItemToBasket",
      headers: { "content-type": "application/json", ...headers },
    });
    sent.end('{"payload":{"variantId":7,"quantity":1}}');
    const [answer] = await once(sent, "response");
    answer.resume();
    return answer.statusCode as number;
  };
}
