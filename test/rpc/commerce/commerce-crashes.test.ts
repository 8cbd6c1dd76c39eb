import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { steps } from "../../../rpc/commerce/test-hooks.ts";
import { CookieClient, type Send } from "../../_cookie-client.ts";
import { startCommerceSystem, type CommerceSystemServer } from "../../_commerce-system.ts";
import { assertBuilt, startProcess } from "../../_process.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";

describeWithRedis("a change of a basket in a commerce system", () => {
  const redis = useRedis();
  beforeAll(assertBuilt);

  test.each(steps.map((step) => [step, step.startsWith("login") ? "joins" : "carts"] as const))(
    "is neither lost nor doubled if the server is killed: %s",
    async (step, kind) => {
      const system = await startCommerceSystem(kind);
      onTestFinished(() => system.close());
      const [dying, other] = await Promise.all([
        startServer(redis().url, system, kind, step),
        startServer(redis().url, system, kind),
      ]);
      const customer = { email: `${randomUUID()}@example.com`, password: "correct horse x" };
      const device = new CookieClient(other.send);
      await device.call("register", customer);
      await device.call("addItemToBasket", { variantId: 7, quantity: 1 });

      const guest = new CookieClient(withFallback(dying.send, other.send));
      const calls: (readonly [string, unknown])[] = [
        ["addItemToBasket", { variantId: 8, quantity: 1 }],
        ["addItemToBasket", { variantId: 7, quantity: 2 }],
        ["login", customer],
        ["addItemToBasket", { variantId: 8, quantity: 1 }],
      ];
      for (const [method, payload] of calls) {
        // A guest without a session can't be found again.
        const send = guest.cookies.size === 0 ? other.send : undefined;
        const client = send === undefined ? guest : new CookieClient(send);
        const { status } = await client.call(method, payload, { "idempotency-key": randomUUID() });
        expect(status, method).toBe(200);
        for (const [name, value] of client.cookies) guest.cookies.set(name, value);
      }
      expect((await guest.call("getBasket")).status).toBe(200);
      expect(system.basketOf(customer.email)).toEqual({ 7: 3, 8: 2 });
      await expect(dying.send("/healthz", {})).rejects.toThrow("fetch failed");
    },
    120_000,
  );
});

async function startServer(
  redisUrl: string,
  system: CommerceSystemServer,
  kind: string,
  crash?: string,
) {
  const server = await startProcess(["commerce-server.mjs"], {
    cwd: fileURLToPath(new URL("../../fixtures", import.meta.url)),
    env: {
      REDIS_URL: redisUrl,
      SYSTEM_URL: system.url,
      KIND: kind,
      ...(crash !== undefined && { CRASH: crash }),
    },
  });
  onTestFinished(() => server.kill());
  return server;
}

/** Acts like a client whose load balancer sends a request again, to another server. */
function withFallback(first: Send, second: Send): Send {
  return (path, init) => first(path, init).catch(() => second(path, init));
}
