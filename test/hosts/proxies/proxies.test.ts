import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { startStorefront } from "../../_process.ts";
import { proxies, startProxy, type ProxyCall } from "./_proxy.ts";

describe.each(Object.keys(proxies) as (keyof typeof proxies)[])(
  "%s with the settings of docs/proxies.md",
  (name) => {
    test("passes on the visitor's address, and no address that the visitor made up", async () => {
      const { call } = await open(name);
      const forged = {
        "x-forwarded-for": "203.0.113.9",
        forwarded: "for=203.0.113.9",
        "x-real-ip": "203.0.113.9",
      };
      expect((await call("getAddress")).body).toEqual({ ip: "127.0.0.2" });
      expect((await call("getAddress", forged)).body).toEqual({ ip: "127.0.0.2" });
    });

    test("terminates TLS: the session cookie is Secure, and leads to the session", async () => {
      const { call } = await open(name);
      const { headers } = await call("remember");
      const [pair = "", ...attributes] = headers["set-cookie"]?.[0]?.split("; ") ?? [];
      expect(attributes).toContain("Secure");
      // Both servers keep sessions in their own memory, and Caddy chooses one at random.
      const recall = async () => (await call("recall", { cookie: pair })).body;
      await expect.poll(recall, { timeout: 20_000 }).toEqual({ remembered: true });
    });

    test("passes on the payload of a PUT and of a DELETE, in the body and in the query", async () => {
      const { call } = await open(name);
      const body = '{"payload":{"itemKey":"none","quantity":1}}';
      const put = await call("updateBasketItem", {}, { verb: "PUT", body });
      // The method got the payload: otherwise, the code would be invalid_input.
      expect(put).toMatchObject({ status: 404, body: { code: "unknown_item" } });
      const key = '{"itemKey":"none"}';
      for (const [query, text] of [
        ["", `{"payload":${key}}`],
        [`?payload=${encodeURIComponent(key)}`, ""],
      ] as const) {
        const path = `removeItemFromBasket${query}`;
        const removed = await call(path, {}, { verb: "DELETE", body: text });
        expect(removed).toMatchObject({ status: 404, body: { code: "unknown_item" } });
      }
    });

    test("accepts the shop's own page, and rejects a page of another site", async () => {
      const { call } = await open(name);
      expect(await call("getAddress", { origin: "https://shop.example" })).toMatchObject({
        status: 200,
      });
      for (const origin of ["https://evil.example", "http://shop.example"]) {
        expect(await call("getAddress", { origin })).toMatchObject({
          status: 403,
          body: { code: "foreign_origin" },
        });
      }
      const forged = { origin: "https://evil.example", "x-forwarded-host": "evil.example" };
      expect(await call("getAddress", forged)).toMatchObject({ status: 403 });
    });

    test("loses no call while one of two servers shuts down", async () => {
      const { call, first } = await open(name);
      const stopping = new AbortController();
      const failures: unknown[] = [];
      let calls = 0;
      const callers = Array.from({ length: 8 }, async () => {
        while (!stopping.signal.aborted) {
          const { status, body } = await call("getNothing").catch((error: unknown) => ({
            status: 0,
            body: error,
          }));
          calls++;
          if (status !== 200) failures.push({ status, body });
        }
      });
      expect(await first.stop()).toBe(0);
      stopping.abort();
      await Promise.all(callers);
      expect(failures).toEqual([]);
      expect(calls).toBeGreaterThan(100);
    });
  },
);

// --- Internal helpers ---

async function open(name: keyof typeof proxies): Promise<{
  readonly call: ProxyCall;
  readonly first: Awaited<ReturnType<typeof start>>;
}> {
  const [first, second] = await Promise.all([start(), start()]);
  return { call: await startProxy(name, [first.origin, second.origin]), first };
}

async function start() {
  const server = await startStorefront("storefront.config.mjs", {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env: { NODE_ENV: "development" },
  });
  onTestFinished(() => server.kill());
  return server;
}
