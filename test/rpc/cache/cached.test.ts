import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import * as z from "zod";
import { defineRpcMethod, RpcError } from "../../../server/index.ts";
import { startCommerceSystem } from "../../_commerce-system.ts";
import { describeStorages, type TestStorefront } from "../../_setup.ts";
import { cachedMethods, createUpstream, type Upstream } from "../../fixtures/upstream.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Moves the clock; timers and I/O run as always. */
function passSeconds(seconds: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: now + seconds * 1000 });
}

const read = async ({ client }: TestStorefront, payload: object = { key: "a" }, shopId = 1001) =>
  (await client(shopId).call("read", payload)).body as { readonly version: number };

/** Reads again and again until the cache has a newer value: a refresh runs in the background. */
async function readUntil(storefront: TestStorefront, version: number): Promise<void> {
  while ((await read(storefront)).version !== version) await new Promise(setImmediate);
}

describeStorages("cached", ({ start, allowErrors }) => {
  const startWith = (upstream: Upstream) => start({ methods: cachedMethods(upstream) });

  test("loads once for 50 equal reads at the same time", async () => {
    const upstream = createUpstream();
    const open = upstream.hold();
    const storefront = await startWith(upstream);
    const reads = Array.from({ length: 50 }, () => storefront.client().call("read", { key: "a" }));
    await upstream.reached(1);
    open();
    for (const { status, body } of await Promise.all(reads)) {
      expect([status, body]).toEqual([200, { key: "a", version: 1 }]);
    }
    await read(storefront);
    expect(upstream.requests).toEqual(["a"]);
  });

  test("doesn't cache a failure", async () => {
    const upstream = createUpstream();
    const storefront = await startWith(upstream);
    upstream.answer = () => {
      throw new RpcError("limit_reached");
    };
    for (let count = 0; count < 2; count++) {
      expect((await storefront.client().call("read", { key: "a" })).status).toBe(422);
    }
    upstream.answer = () => ({ version: 2 });
    expect(await read(storefront)).toEqual({ version: 2 });
    expect(upstream.requests).toHaveLength(3);
  });

  test("doesn't cache undefined, and caches null", async () => {
    const upstream = createUpstream();
    const storefront = await startWith(upstream);
    upstream.answer = (key) => (key === "null" ? null : undefined);
    for (const key of ["undefined", "undefined", "null", "null"]) await read(storefront, { key });
    expect(upstream.requests).toEqual(["undefined", "undefined", "null"]);
  });

  test("returns a stale value, and loads a new one once in the background", async () => {
    const upstream = createUpstream();
    const storefront = await startWith(upstream);
    await read(storefront);
    passSeconds(59);
    upstream.version = 2;
    expect((await read(storefront)).version).toBe(1);
    expect(upstream.requests).toHaveLength(1);
    passSeconds(2);
    const open = upstream.hold();
    const stale = await Promise.all(Array.from({ length: 50 }, () => read(storefront)));
    expect(new Set(stale.map(({ version }) => version))).toEqual(new Set([1]));
    await upstream.reached(2);
    open();
    await readUntil(storefront, 2);
    expect(upstream.requests).toHaveLength(2);
  });

  test("waits for a new value after twice the ttl", async () => {
    const upstream = createUpstream();
    const storefront = await startWith(upstream);
    await read(storefront);
    passSeconds(121);
    upstream.version = 2;
    expect((await read(storefront)).version).toBe(2);
  });

  test("keeps the stale value if the refresh fails, and tries again after a second", async () => {
    const upstream = createUpstream();
    const storefront = await startWith(upstream);
    await read(storefront);
    passSeconds(61);
    upstream.answer = () => {
      throw new Error("The system is down");
    };
    for (let count = 0; count < 10; count++) expect((await read(storefront)).version).toBe(1);
    await upstream.reached(2);
    while (storefront.lines.every(({ level }) => level !== "warn")) await new Promise(setImmediate);
    expect((await read(storefront)).version).toBe(1);
    expect(upstream.requests).toHaveLength(2);
    expect(storefront.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
    passSeconds(2);
    upstream.answer = () => ({ version: 3 });
    await readUntil(storefront, 3);
    expect(upstream.requests).toHaveLength(3);
  });

  test("separates shops", async () => {
    const upstream = createUpstream();
    upstream.answer = (key, { shop }) => ({ key, shop: shop.shopId, version: 1 });
    const storefront = await startWith(upstream);
    expect(await read(storefront)).toMatchObject({ shop: 1001 });
    expect(await read(storefront, { key: "a" }, 1002)).toMatchObject({ shop: 1002 });
    expect(await read(storefront)).toMatchObject({ shop: 1001 });
    expect(upstream.requests).toHaveLength(2);
  });

  test("gives every caller the value after JSON, frozen", async () => {
    const loaded = { at: new Date(0), items: [{ tags: ["a"] }], skipped: undefined };
    const results: unknown[] = [];
    const look = defineRpcMethod({
      access: "public",
      async handler(_, { cached }) {
        const result = await cached("a", 60, () => loaded);
        results.push(result);
        loaded.items.length = 0;
        for (const change of [
          () => Object.assign(result, { at: 1 }),
          () => (result.items as unknown[]).push(1),
          () => (result.items.at(0) as { tags: unknown[] }).tags.push("b"),
        ]) {
          expect(change).toThrow(TypeError);
        }
        return result;
      },
    });
    const { client } = await start({ methods: { look } });
    const expected = { at: "1970-01-01T00:00:00.000Z", items: [{ tags: ["a"] }] };
    for (let count = 0; count < 3; count++) {
      expect((await client().call("look")).body).toEqual(expected);
    }
    expect(results[0]).toEqual(expected);
  });

  test("rejects invalid keys, times, tags, and values", async () => {
    allowErrors();
    const upstream = createUpstream();
    const storefront = await startWith(upstream);
    const invalid = [
      { key: "" },
      { key: "x".repeat(513) },
      { key: "a", ttl: 0 },
      { key: "a", ttl: -1 },
      { key: "a", ttl: 86_401 },
      { key: "a", tags: [""] },
      { key: "a", tags: ["x".repeat(129)] },
      { key: "a", tags: Array.from({ length: 1001 }, (_, tag) => `t${tag}`) },
    ];
    for (const payload of invalid) {
      expect((await storefront.client().call("read", payload)).status, payload.key).toBe(500);
    }
    expect(upstream.requests).toEqual([]);
    upstream.answer = () => ({ prices: [{ gross: Number.NaN }] });
    expect((await storefront.client().call("read", { key: "a" })).status).toBe(500);
    const [last] = storefront.lines.filter(({ level }) => level === "error").slice(-1);
    expect(JSON.stringify(last)).toContain('\\"prices[0].gross\\" is NaN');
    const longest = { key: "x".repeat(512), tags: ["x".repeat(128)], ttl: 86_400 };
    upstream.answer = () => 1;
    expect((await storefront.client().call("read", longest)).body).toBe(1);
  });

  test("returns a value above 1 MiB without caching it, and warns once", async () => {
    const upstream = createUpstream();
    upstream.answer = () => "x".repeat(1_048_577);
    const storefront = await startWith(upstream);
    for (let count = 0; count < 3; count++) {
      expect(await read(storefront)).toHaveLength(1_048_577);
    }
    expect(upstream.requests).toHaveLength(3);
    expect(storefront.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  test("responds to GET with the cached value, and max-age for shared caches", async () => {
    const upstream = createUpstream();
    const { send } = await startWith(upstream);
    const path = `/de/api/rpc/read?payload=${encodeURIComponent('{"key":"a"}')}`;
    for (let count = 0; count < 2; count++) {
      const response = await send(path, {});
      expect(await response.json()).toEqual({ key: "a", version: 1 });
      expect(response.headers.get("cache-control")).toBe("public, max-age=60");
    }
    expect(upstream.requests).toHaveLength(1);
  });

  test("sends a load's requests to the commerce system by its circuit breaker", async () => {
    const system = await startCommerceSystem("carts");
    onTestFinished(() => system.close());
    const status = defineRpcMethod({
      access: "public",
      input: z.string(),
      handler: (path, { cached }) =>
        cached(path, 60, async ({ fetch }) => (await fetch(system.url + path)).status),
    });
    const commerce = { name: "test", timeout: 1 };
    const { client } = await start({ methods: { status }, commerce });
    expect((await client().call("status", "/cart")).body).toBe(401);
    system.fault = () => "refuse";
    const { length } = system.requests;
    for (let key = 0; key < 20; key++) {
      const refused = await client().call("status", `/${key}`);
      expect(refused).toMatchObject({ status: 503, body: { code: "commerce_unavailable" } });
    }
    expect(system.requests.length - length).toBeLessThan(10);
    expect((await client().call("status", "/cart")).body).toBe(401);
  });
});
