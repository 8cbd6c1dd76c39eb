import { createServer } from "node:http";
import { expect, onTestFinished, test, vi } from "vitest";
import { diagnose } from "../../../server/config/doctor.ts";
import { sound } from "../../_findings.ts";
import { createSetup } from "../../_setup.ts";
import { createTestBackend } from "../../_commerce-backend.ts";
import { startCommerceSystem } from "../../_commerce-system.ts";
import { stopMonotonicClock } from "../../_stopped-clock.ts";

const setup = createSetup("memory", "request", () => ({ driver: "memory" }));

async function open() {
  const system = await startCommerceSystem("carts");
  onTestFinished(() => system.close());
  const commerce = createTestBackend({ url: system.url, kind: "carts" });
  return { ...(await setup.start({ commerce })), system, commerce };
}

test("a server stays ready while its commerce system doesn't respond, and names the system", async () => {
  const clock = stopMonotonicClock();
  const { client, send, system } = await open();
  const readiness = async () => {
    const response = await send("/readyz", {});
    return { status: response.status, body: await response.json() };
  };
  expect(await readiness()).toEqual({ status: 200, body: { status: "ok" } });
  const guest = client();
  await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
  system.fault = () => "fail";
  for (let count = 0; count < 5; count++) await guest.call("getBasket");
  expect(await readiness()).toEqual({
    status: 200,
    body: { status: "ok", unavailable: ["test"] },
  });
  const sent = system.requests.length;
  for (let count = 0; count < 10; count++) {
    expect((await guest.call("getBasket")).body.code).toBe("commerce_unavailable");
  }
  expect(system.requests).toHaveLength(sent);
  expect((await guest.call("getUser")).status).toBe(200);
  expect((await client().call("getBasket")).body.basket.items).toEqual([]);
  system.fault = undefined;
  clock.pass(1000);
  expect((await guest.call("getBasket")).status).toBe(200);
  expect(await readiness()).toEqual({ status: 200, body: { status: "ok" } });
});

test("a client that leaves while the commerce system is called is no error", async () => {
  const { app, lines, system, client } = await open();
  const guest = client();
  await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
  system.fault = () => ({ delay: 400 });
  const leaving = new AbortController();
  const calling = app.fetch(
    new Request("http://localhost/api/rpc/getBasket", {
      method: "POST",
      headers: {
        "x-shop-id": "1001",
        cookie: guest.cookieHeader,
        "content-type": "application/json",
      },
      body: "{}",
      signal: leaving.signal,
    }),
  );
  await vi.waitUntil(() => system.requests.at(-1) === "GET /cart");
  leaving.abort();
  expect((await calling).status).toBe(499);
  expect(lines.filter(({ level }) => level !== "debug" && level !== "info")).toEqual([]);
});

test("the doctor tries the request that an adapter names", async () => {
  const { commerce, system } = await open();
  const check = async ({ fetch }: { readonly fetch: typeof globalThis.fetch }) =>
    void (await fetch(`${system.url}/health`));
  const diagnoseBackend = async () => {
    const found = await diagnose({ ...sound, storage: {}, commerce: { ...commerce, check } });
    return found.filter(({ code }) => code === "SF706");
  };
  expect(await diagnoseBackend()).toEqual([]);
  system.fault = () => "fail";
  expect(await diagnoseBackend()).toMatchObject([
    { path: "commerce", found: "test: HTTP status 500", severity: "error" },
  ]);
});

test("a streamed response of a closed server is commerce_unavailable", async () => {
  const server = createServer((_, response) => response.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const commerce = createTestBackend({ url: `http://127.0.0.1:${port}`, kind: "carts" });
  const { client } = await setup.start({ commerce });
  const { body } = await client().call("addItemToBasket", { variantId: 7, quantity: 1 });
  expect(body).toMatchObject({ code: "commerce_unavailable", status: 503 });
});
