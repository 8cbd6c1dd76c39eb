import { describe, expect, test } from "vitest";
import * as z from "zod";
import { prometheus } from "../../adapters/prometheus.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { RpcError } from "../../rpc/error.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { parseMetrics, sumOf, type Sample } from "../_metrics.ts";
import { describeWithRedis, useRedis } from "../_redis.ts";
import { readTable } from "../_table.ts";
import { createSetup, describeStorages, type TestStorefront } from "../_setup.ts";
import { testMethods } from "../fixtures/methods.ts";
import { as, trustingAuth } from "../fixtures/trusting-auth.ts";

const token = "an-admin-token-of-more-than-32-characters";

function observed(config: Partial<StorefrontConfig> = {}): Partial<StorefrontConfig> {
  const telemetry = [prometheus()];
  return { admin: { token }, auth: trustingAuth, methods: testMethods, telemetry, ...config };
}

async function readText({ send }: TestStorefront): Promise<string> {
  const response = await send("/metrics", { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return response.text();
}

async function read(storefront: TestStorefront): Promise<readonly Sample[]> {
  return parseMetrics(await readText(storefront));
}

describeStorages("prometheus()", ({ start, driver }) => {
  test("counts calls by shop, method, status, and code", async () => {
    const storefront = await start(observed());
    const client = storefront.client();
    for (let call = 0; call < 3; call++) await client.call("getUser");
    await storefront.client(1002).call("getUser");
    await client.call("refuse");
    const samples = await read(storefront);
    const count = (labels: Record<string, string>) =>
      sumOf(samples, "storefront_calls_total", labels);
    expect(count({ shop: "1001", method: "getUser", status: "200", code: "ok" })).toBe(3);
    expect(count({ shop: "1002", method: "getUser" })).toBe(1);
    expect(count({ shop: "1001", method: "refuse", code: "limit_reached" })).toBe(1);
    const seconds = { shop: "1001", method: "getUser" };
    expect(sumOf(samples, "storefront_call_duration_seconds_count", seconds)).toBe(3);
    const last = { ...seconds, le: "+Inf" };
    expect(sumOf(samples, "storefront_call_duration_seconds_bucket", last)).toBe(3);
  });

  test("names no method, shop, or code that a client has made up", async () => {
    const codes = Array.from({ length: 80 }, (_, at) => `code_${at}`);
    const storefront = await start(
      observed({
        methods: {
          fail: defineRpcMethod({
            input: z.string(),
            handler(code) {
              throw new RpcError(code, { status: 400, title: "Not today" });
            },
          }),
        },
      }),
    );
    const client = storefront.client();
    for (const name of ["Unknown1", "__proto__", "toString"]) await client.call(name);
    await storefront.client(4711).call("getUser");
    await client.call("fail", "Text of a user");
    for (const code of codes) await client.call("fail", code);
    const text = await readText(storefront);
    const calls = parseMetrics(text).filter(({ name }) => name === "storefront_calls_total");
    expect(new Set(calls.map(({ labels }) => labels["method"]))).toEqual(
      new Set(["_OTHER", "fail"]),
    );
    expect(new Set(calls.map(({ labels }) => labels["shop"]))).toEqual(new Set(["_OTHER", "1001"]));
    for (const made of ["Unknown1", "proto", "toString", '"4711"', "Text of"]) {
      expect(text).not.toContain(made);
    }
    expect(new Set(calls.map(({ labels }) => labels["code"])).size).toBeLessThan(60);
    expect(sumOf(calls, "storefront_calls_total", { code: "_OTHER" })).toBeGreaterThan(1);
  });

  test("counts storage operations, and the sources of sessions", async () => {
    const storefront = await start(observed());
    const client = storefront.client();
    await client.call("enter", { id: 7 });
    for (let call = 0; call < 5; call++) await client.call("getUser");
    const samples = await read(storefront);
    const lookups = (labels: Record<string, string>) =>
      sumOf(samples, "storefront_session_lookups_total", { shop: "1001", ...labels });
    expect(lookups({ state: "none" })).toBe(1);
    expect(lookups({ state: "active" })).toBe(5);
    expect(lookups({ state: "active", source: "cache" })).toBeGreaterThanOrEqual(4);
    const swaps = { driver, operation: "swap", outcome: "ok" };
    const count = sumOf(samples, "storefront_storage_operations_total", swaps);
    expect(count).toBeGreaterThanOrEqual(2);
    const name = "storefront_storage_operation_duration_seconds_count";
    expect(sumOf(samples, name, { driver, operation: "swap" })).toBeGreaterThanOrEqual(count);
  });

  test("counts sessions that begin and end, with the reason", async () => {
    const storefront = await start(observed());
    const guest = storefront.client();
    await guest.call("note", { color: "red" });
    await guest.call("login", as(7));
    const other = storefront.client();
    await other.call("login", as(7));
    await other.call("logout");
    const third = storefront.client(1002);
    await third.call("login", as(7));
    await guest.call("updatePassword", { oldPassword: "old", newPassword: "battery staple" });
    const samples = await read(storefront);
    const count = (event: string, shop: string, reason: string) =>
      sumOf(samples, `storefront_sessions_${event}_total`, { shop, reason });
    expect(count("begun", "1001", "guest")).toBe(1);
    expect(count("begun", "1001", "user")).toBe(2);
    expect(count("ended", "1001", "login")).toBe(1);
    expect(count("ended", "1001", "logout")).toBe(1);
    expect(count("ended", "1002", "revoked")).toBe(1);
    expect(count("renewed", "1001", "privilege")).toBe(1);
    expect(sumOf(samples, "storefront_revocations_total")).toBe(1);
  });

  test("exports the metrics that docs/telemetry.md lists", async () => {
    const text = await readText(await start(observed()));
    const found = [...text.matchAll(/^# HELP (storefront_\w+) /gm)].map(
      ([, name]) => `\`${name}\``,
    );
    const listed = readTable("docs/telemetry.md", "metric").map(([name]) => name);
    expect(found.toSorted()).toEqual(
      listed.filter((name) => name?.startsWith("`storefront_")).toSorted(),
    );
  });

  test("counts merges, and reads of cached()", async () => {
    const storefront = await start(
      observed({
        methods: {
          price: defineRpcMethod({
            access: "public",
            handler: (_, { cached }) => cached("price", 60, () => 7),
          }),
        },
      }),
    );
    const client = storefront.client();
    await client.call("addItemToBasket", { variantId: 1, quantity: 1 });
    await client.call("login", as(7));
    for (let call = 0; call < 3; call++) await client.call("price");
    const samples = await read(storefront);
    const ofShop = { shop: "1001" };
    expect(sumOf(samples, "storefront_merges_total", { ...ofShop, outcome: "done" })).toBe(1);
    expect(sumOf(samples, "storefront_cache_reads_total", { ...ofShop, result: "hit" })).toBe(2);
    expect(sumOf(samples, "storefront_cache_reads_total", { ...ofShop, result: "miss" })).toBe(1);
  });

  test("shows the event loop, the memory, and the queue of password hashes", async () => {
    const samples = await read(await start(observed()));
    const names = new Set(samples.map(({ name }) => name));
    for (const name of [
      "nodejs_eventloop_lag_p99_seconds",
      "process_resident_memory_bytes",
      "process_cpu_seconds_total",
    ]) {
      expect(names).toContain(name);
    }
    expect(sumOf(samples, "storefront_password_hashes", { state: "waiting" })).toBe(0);
  });

  test("rejects a request without the admin token", async () => {
    const { send, lines } = await start(observed());
    for (const authorization of ["", `Bearer ${token}x`]) {
      const response = await send("/metrics", { headers: { authorization } });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: "not_an_operator" });
    }
    expect(lines.filter(({ level }) => level === "warn")).toHaveLength(2);
  });

  test("serves no page without a token in the config, or without metrics", async () => {
    for (const config of [observed({ admin: undefined }), observed({ telemetry: [] })]) {
      const { send } = await start(config);
      const headers = { authorization: `Bearer ${token}` };
      expect((await send("/metrics", { headers })).status).toBe(404);
    }
  });
});

function watchAges(ages: number[]): Partial<StorefrontConfig> {
  const revocationHeard = (seconds: number) => void ages.push(seconds);
  return { auth: trustingAuth, telemetry: [{ name: "ages", revocationHeard }] };
}

describeWithRedis("the age of a revocation", () => {
  const redis = useRedis();
  const storage = () => ({ driver: "redis", url: redis().url });
  const { start } = createSetup("redis", "request", storage);

  test("counts on the server that receives the revocation, and not on the one that made it", async () => {
    const ages: [number[], number[]] = [[], []];
    const client = (await start(watchAges(ages[0]))).client();
    await start(watchAges(ages[1]));
    // The other server hears nothing until its feed is open.
    const end = async () => {
      await client.call("login", as(7));
      await client.call("logoutEverywhere");
      return ages[1].length;
    };
    await expect.poll(end, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(ages[0]).toEqual([]);
    for (const age of ages[1]) {
      expect(age).toBeGreaterThanOrEqual(0);
      expect(age).toBeLessThan(60);
    }
  });
});

describe("the options of prometheus()", () => {
  test.each([0, -1, 65_536, 1.5, Number.NaN])("reject the port %s", (port) => {
    expect(() => prometheus({ port })).toThrow(RangeError);
  });
});
