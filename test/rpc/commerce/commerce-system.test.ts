import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createCommerceSystem } from "../../../rpc/commerce/commerce-system.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { startCommerceSystem, type Fault } from "../../_commerce-system.ts";
import { Barrier } from "../../_faulty-driver.ts";
import { stopMonotonicClock } from "../../_stopped-clock.ts";

const never = new AbortController().signal;
const shop = { shopId: 1001, locale: "de-DE", currency: "EUR" };

async function start(fault?: Fault, timeout = 9) {
  const server = await startCommerceSystem("carts");
  onTestFinished(() => server.close());
  if (fault !== undefined) server.fault = () => fault;
  const { log, lines } = createTestLog();
  const system = createCommerceSystem({ name: "test", timeout }, shop, log);
  const call = (signal = never) =>
    system.fetch(`${server.url}/sessions`, { method: "POST" }, signal);
  return { server, system, lines, call };
}

describe("a request to a commerce system", () => {
  test.each<[string, Fault, string, number?]>([
    ["refuses connections", "refuse", "fetch failed"],
    ["responds with status 500", "fail", "HTTP status 500"],
    ["responds with an HTML page", "page", "HTML page"],
    ["hangs", { delay: 1000 }, "No response after 0.3 s", 0.3],
  ])("is commerce_unavailable if the system %s", async (_, fault, text, timeout) => {
    const { call } = await start(fault, timeout);
    const error = await call().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "commerce_unavailable", status: 503 });
    expect(String((error as Error).cause)).toContain(text);
    expect((error as { headers: Headers }).headers.get("retry-after")).toBe("1");
  });

  test("fails with commerce_unavailable if the body isn't JSON", async () => {
    const server = createServer((_, response) => response.end("secret-token {"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { system } = await start();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const response = await system.fetch(url, undefined, never);
    const error = await response.json().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "commerce_unavailable" });
    expect(String((error as Error).cause)).not.toContain("secret-token");
  });

  test("fails with commerce_unavailable if the body ends early", async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{");
      setTimeout(() => response.destroy(), 20);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { system } = await start();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(system.fetch(url, undefined, never)).rejects.toMatchObject({
      code: "commerce_unavailable",
    });
  });

  test("returns a status below 500 with its body and headers", async () => {
    const { server, system } = await start();
    const response = await system.fetch(`${server.url}/cart`, undefined, never);
    expect(response.status).toBe(401);
    expect(response.url).toBe(`${server.url}/cart`);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ error: "token" });
  });
});

describe("the circuit breaker", () => {
  test("opens after 5 failures, tries the system once a second, and closes again", async () => {
    const clock = stopMonotonicClock();
    const { server, system, lines, call } = await start("fail");
    for (let count = 0; count < 5; count++) await call().catch(() => undefined);
    expect(system.failure).toContain("HTTP status 500");
    const sent = server.requests.length;
    for (let count = 0; count < 20; count++) {
      await expect(call()).rejects.toMatchObject({ code: "commerce_unavailable" });
    }
    expect(server.requests.length).toBe(sent);
    clock.pass(1000);
    for (let count = 0; count < 20; count++) {
      await expect(call()).rejects.toMatchObject({ code: "commerce_unavailable" });
    }
    expect(server.requests.length).toBe(sent + 1);
    clock.pass(1000);
    server.fault = undefined;
    expect((await call()).status).toBe(200);
    expect(system.failure).toBeUndefined();
    expect(lines.map(({ level }) => level)).toEqual(["warn", "info"]);
  });

  test("rejects other calls immediately while one tries the system", async () => {
    const clock = stopMonotonicClock();
    const { server, call } = await start("fail");
    for (let count = 0; count < 5; count++) await call().catch(() => undefined);
    const barrier = new Barrier();
    server.fault = () => ({ until: barrier.pass() });
    const sent = server.requests.length;
    clock.pass(1000);
    const trying = call();
    await barrier.reached;
    await expect(call()).rejects.toMatchObject({ code: "commerce_unavailable" });
    expect(server.requests.length).toBe(sent + 1);
    barrier.open();
    expect((await trying).status).toBe(200);
  });

  test("stays closed if every second request fails, because the others succeed", async () => {
    const { server, system, call } = await start();
    let count = 0;
    server.fault = () => (count++ % 2 === 0 ? "fail" : undefined);
    for (let pair = 0; pair < 20; pair++) {
      await expect(call()).rejects.toMatchObject({ code: "commerce_unavailable" });
      expect((await call()).status).toBe(200);
    }
    expect(system.failure).toBeUndefined();
  });

  test("doesn't count a client that leaves", async () => {
    const { server, system, call } = await start({ delay: 200 });
    for (let count = 0; count < 8; count++) {
      const client = new AbortController();
      const calling = call(client.signal);
      client.abort(new DOMException("The client disconnected", "AbortError"));
      await expect(calling).rejects.toMatchObject({ name: "AbortError" });
    }
    expect(system.failure).toBeUndefined();
    server.fault = undefined;
    expect((await call()).status).toBe(200);
  });
});

const check = "GET /health";

/** Opens a circuit breaker whose system fails. */
async function breakCircuit(fault: Fault, run?: (url: string) => Promise<void>) {
  const server = await startCommerceSystem("carts");
  const { log, lines } = createTestLog();
  const backend = {
    name: "test",
    timeout: 9,
    url: server.url,
    async check({ fetch }: { readonly fetch: typeof globalThis.fetch }) {
      await fetch(`${this.url}/health`);
      await run?.(server.url);
    },
  };
  const system = createCommerceSystem(backend, shop, log);
  onTestFinished(async () => {
    system.close();
    await server.close();
  });
  const call = () => system.fetch(`${server.url}/sessions`, { method: "POST" }, never);
  server.fault = () => "fail";
  for (let count = 0; count < 5; count++) await call().catch(() => undefined);
  server.fault = () => fault;
  const count = (request: string) => server.requests.filter((one) => one === request).length;
  return { server, system, lines, call, count };
}

describe("the probe of a commerce system", () => {
  test.each<[string, Fault]>([
    ["fails", "fail"],
    ["hangs", { delay: 20_000 }],
  ])("lets no request wait for a system that %s", async (_, fault) => {
    const { server, system, call, count } = await breakCircuit(fault);
    const requests = count("POST /sessions");
    await vi.waitUntil(
      async () => {
        await expect(call()).rejects.toMatchObject({ code: "commerce_unavailable" });
        return count(check) >= 3;
      },
      { timeout: 15_000 },
    );
    expect(count("POST /sessions")).toBe(requests);
    expect(system.failure).toContain("HTTP status 500");
    server.fault = undefined;
    await vi.waitUntil(() => system.failure === undefined, { timeout: 15_000 });
    expect((await call()).status).toBe(200);
    expect(count("POST /sessions")).toBe(requests + 1);
  });

  test("notices the return of a system that nobody calls", async () => {
    const { server, system } = await breakCircuit("refuse");
    const returned = vi.fn();
    system.onReturn(returned);
    server.fault = undefined;
    await vi.waitUntil(() => system.failure === undefined, { timeout: 15_000 });
    expect(returned).toHaveBeenCalledTimes(1);
  });

  test("lets one request try a system whose check succeeds and whose other requests fail", async () => {
    const { server, system, lines, call, count } = await breakCircuit("fail");
    server.fault = (request) => (request === check ? undefined : "fail");
    const requests = count("POST /sessions");
    await vi.waitUntil(
      async () => {
        const calls = [call(), call(), call()];
        await Promise.allSettled(calls);
        return count("POST /sessions") > requests;
      },
      { timeout: 15_000 },
    );
    expect(count("POST /sessions")).toBe(requests + 1);
    expect(system.failure).toContain("HTTP status 500");
    expect(lines.map(({ level }) => level)).toEqual(["warn"]);
  });

  test("ends if the system responds, whatever else the check finds", async () => {
    const { server, system } = await breakCircuit("fail", () =>
      Promise.reject(new Error("The currency of the channel is another one")),
    );
    server.fault = undefined;
    await vi.waitUntil(() => system.failure === undefined, { timeout: 15_000 });
  });

  test("ends when the server closes", async () => {
    const { system, count } = await breakCircuit("fail");
    await vi.waitUntil(() => count(check) > 0, { timeout: 15_000 });
    system.close();
    const other = await breakCircuit("fail");
    await vi.waitUntil(() => other.count(check) > 0, { timeout: 15_000 });
    const requests = count(check);
    await vi.waitUntil(() => other.count(check) > 2, { timeout: 15_000 });
    expect(count(check)).toBe(requests);
  });
});
