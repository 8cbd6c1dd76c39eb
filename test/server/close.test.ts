import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { createFolder, shops } from "../_cli.ts";
import { createSetup, describeStorages } from "../_setup.ts";
import { describeWithRedis, useRedis } from "../_redis.ts";

const call = (app: string, method: string, payload: object) =>
  `await ${app}.fetch(new Request("http://localhost/api/rpc/${method}", {
    method: "POST",
    headers: { "content-type": "application/json", "x-shop-id": "1" },
    body: ${JSON.stringify(JSON.stringify({ payload }))},
  }));`;

/** Runs a program that closes its storefront after some calls. @returns its code and output */
async function runProgram(config: object): Promise<[code: unknown, output: string]> {
  const text = `import { createStorefront } from "storefront-core";
    const app = createStorefront({ shops: ${shops}, ...${JSON.stringify(config)} });
    ${call("app", "addItemToBasket", { variantId: 7, quantity: 1 })}
    ${call("app", "register", { email: "ada@example.com", password: "correct horse" })}
    ${call("app", "login", { email: "ada@example.com", password: "wrong" })}
    const answer = ${call("app", "getBasket", {})}
    console.log(answer.status);
    await app.close();
    await app.close();
    const late = ${call("app", "getBasket", {})}
    console.log(late.status, (await late.json()).code);`;
  const folder = await createFolder({ "a.mjs": text });
  const child = spawn(process.execPath, ["a.mjs"], { cwd: folder });
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  const [code] = await once(child, "close");
  clearTimeout(timer);
  return [code, output];
}

const closed = [0, "200\n503 draining\n"];

describe("close", () => {
  test("releases everything that keeps the process running: memory", async () => {
    expect(await runProgram({})).toEqual(closed);
  });

  test("releases everything that keeps the process running: files", async () => {
    const base = `${await createFolder({})}/data`;
    const config = { storage: { session: { driver: "fs", base } } };
    expect(await runProgram(config)).toEqual(closed);
  });

  test("releases everything while Redis is down", async () => {
    const config = { storage: { session: { driver: "redis", url: "redis://127.0.0.1:1" } } };
    expect(await runProgram(config)).toEqual(closed);
  });
});

test("the sweep of ended grants does not keep the process running", async () => {
  const text = `import { createStorefront } from "storefront-core";
    const grants = { begin: async () => ({}), end: async () => {} };
    const commerce = { name: "test", grants };
    await createStorefront({ shops: ${shops}, commerce }).ready();
    console.log("ready");`;
  const child = spawn(process.execPath, ["a.mjs"], { cwd: await createFolder({ "a.mjs": text }) });
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  expect(await once(child, "close")).toEqual([0, null]);
  clearTimeout(timer);
});

describeWithRedis("close", () => {
  const redis = useRedis();
  test("releases everything that keeps the process running: Redis", async () => {
    const config = { storage: { session: { driver: "redis", url: redis().url } } };
    expect(await runProgram(config)).toEqual(closed);
  });
});

describeStorages("drain", ({ start }) => {
  test("makes /readyz respond with 503 while calls still succeed", async () => {
    const { app, send, client, lines } = await start();
    expect((await send("/readyz", {})).status).toBe(200);
    app.drain();
    for (const path of ["/readyz", "/readyz/"]) {
      const response = await send(path, {});
      expect(response.status).toBe(503);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await response.json()).toMatchObject({ status: 503, code: "draining" });
    }
    expect((await send("/readyz", { method: "POST" })).status).toBe(405);
    expect((await send("/healthz", {})).status).toBe(200);
    expect((await client().call("getUser")).status).toBe(200);
    // A planned shutdown isn't an error.
    expect(lines.filter(({ level }) => level !== "debug")).toEqual([]);
  });
});

const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));

test("makes /readyz respond with 503 after close", async () => {
  allowErrors();
  const { app, send } = await start();
  await app.close();
  expect((await send("/readyz", {})).status).toBe(503);
});
