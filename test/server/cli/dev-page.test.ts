import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createFolder, greeting, shops, startCli, until } from "../../_cli.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { testSecret } from "../../_setup.ts";

const file = "storefront.config.ts";
const add = { method: "addItemToBasket", payload: { variantId: 7, quantity: 2 } };

/** Sends a request of the page. */
async function request(origin: string, name: string, payload: object) {
  const response = await fetch(`${origin}/_storefront/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ payload: { shopId: 1, ...payload } }),
  });
  return [response.status, await response.json()];
}

describe("the development page of the command line", () => {
  test("runs with dev, and keeps its visitors when the config changes", async () => {
    const folder = await createFolder({ [file]: greeting("one") });
    const server = await startCli(["dev"], { folder });
    const { origin } = server;
    expect(server.stdout).toContain(`Development page\n  ${origin}/_storefront\n`);
    const home = await fetch(origin);
    expect([home.status, new URL(home.url).pathname]).toEqual([200, "/_storefront"]);
    const script = await fetch(`${origin}/_storefront/page.js`);
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    await request(origin, "call", { visitor: "A", ...add });

    await writeFile(join(folder, file), greeting("two"));
    await until(async () => {
      const called = await server.call("greet").catch(() => []);
      return called[1] === "two";
    });
    expect(await request(origin, "state", {})).toMatchObject([
      200,
      {
        visitors: { A: { session: { state: "active" }, basket: { itemCount: 2 } } },
        calls: [{ number: 1, method: "addItemToBasket" }],
      },
    ]);
  });
});

describeWithRedis("the development page of several workers", () => {
  const redis = useRedis();

  test("stays off, and says why", async () => {
    const storage = JSON.stringify({ session: { driver: "redis", url: redis().url } });
    const config = `export default { shops: ${shops}, session: { secret: "${testSecret}" }, storage: ${storage} };`;
    const folder = await createFolder({ [file]: config });
    const server = await startCli(["start", "--workers", "2"], { folder });
    expect(server.stdout).not.toContain("Development page");
    expect(await request(server.origin, "state", {})).toMatchObject([
      404,
      { code: "unknown_path", detail: expect.stringContaining("without --workers") },
    ]);
    expect((await fetch(server.origin)).status).toBe(404);
  });
});
