import { expect, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createSetup } from "../_setup.ts";

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
const method = "api/rpc/getShopConfiguration";

const atPaths: Partial<StorefrontConfig> = { shopSelector: "path_or_default" };
const atHosts: Partial<StorefrontConfig> = {
  shopSelector: "domain",
  shops: [
    { shopId: 1001, locale: "de-DE", currency: "EUR", host: "de.example" },
    { shopId: 1002, locale: "en-US", currency: "USD", host: "us.example" },
  ],
};

/** The cache headers of a GET, and the shop that responded. */
async function ask(config: Partial<StorefrontConfig>, address: string, shopId?: string) {
  const { app } = await start(config);
  const headers = new Headers(shopId === undefined ? [] : [["x-shop-id", shopId]]);
  const response = await app.fetch(new Request(`http://${address}/${method}`, { headers }));
  const { shopId: found } = (await response.json()) as { shopId?: number };
  return [found, response.headers.get("cache-control"), response.headers.get("vary")];
}

test.each([
  ["the path", atPaths, "shop.example/us", undefined, 1002],
  ["the path, and a header agrees", atPaths, "shop.example/us", "1002", 1002],
  ["the URL without a path", atPaths, "shop.example", undefined, 1001],
  ["the URL without a path, and a header agrees", atPaths, "shop.example", "1001", 1001],
  ["the host", atHosts, "us.example", undefined, 1002],
  ["the host, and a header agrees", atHosts, "us.example", "1002", 1002],
])(
  "allows shared caches to store a result if %s chose the shop",
  async (_, config, address, header, shopId) => {
    expect(await ask(config, address, header)).toEqual([
      shopId,
      "public, max-age=60",
      "x-shop-id, origin",
    ]);
  },
);

test.each([
  ["not the path", atPaths, "shop.example", "1002", 1002],
  ["not the host", atHosts, "us.example", "1001", 1001],
  ["where no shop has the host", atHosts, "10.0.0.1:3000", "1001", 1001],
  ["where no shop is at the URL", { shopSelector: "path" } as const, "shop.example", "1001", 1001],
])(
  "forbids shared caches to store a result if a header chose the shop, %s",
  async (_, config, address, header, shopId) => {
    expect(await ask(config, address, header)).toEqual([
      shopId,
      "private, no-store",
      "x-shop-id, origin",
    ]);
  },
);

test("varies a result by X-Forwarded-Host if a proxy can choose the shop", async () => {
  expect(await ask({ ...atHosts, trustProxy: ["loopback"] }, "us.example")).toEqual([
    1002,
    "public, max-age=60",
    "x-shop-id, x-forwarded-host, origin",
  ]);
});

test.each([
  [atPaths, "x-shop-id, sec-fetch-site, origin"],
  [
    { ...atPaths, trustProxy: ["loopback"] },
    "x-shop-id, sec-fetch-site, x-forwarded-host, x-forwarded-proto, origin",
  ],
])("varies a page's result by every header of the origin check: %j", async (config, vary) => {
  const { app } = await start(config);
  const headers = { origin: "https://shop.example", "sec-fetch-site": "same-origin" };
  const response = await app.fetch(new Request(`https://shop.example/${method}`, { headers }));
  expect(response.headers.get("cache-control")).toBe("public, max-age=60");
  expect(response.headers.get("vary")).toBe(vary);
});

test("forbids shared caches to store a method's Response if a header chose the shop", async () => {
  const own = defineRpcMethod({
    access: "public",
    readOnly: true,
    handler: () => new Response("a", { headers: { "cache-control": "public, max-age=600" } }),
  });
  const thrown = defineRpcMethod({
    access: "public",
    readOnly: true,
    handler() {
      throw new Response("b", { status: 404, headers: { "cache-control": "public, max-age=600" } });
    },
  });
  const { app } = await start({ ...atPaths, methods: { own, thrown } });
  for (const name of ["own", "thrown"]) {
    const ofCache = async (headers: Record<string, string>) => {
      const request = new Request(`http://shop.example/api/rpc/${name}`, { headers });
      const response = await app.fetch(request);
      return [response.headers.get("cache-control"), response.headers.get("vary")];
    };
    expect(await ofCache({})).toEqual(["public, max-age=600", "x-shop-id, origin"]);
    expect(await ofCache({ "x-shop-id": "1002" })).toEqual(["no-store", "x-shop-id, origin"]);
  }
});

test("forbids caches to store a result of a POST", async () => {
  const { client } = await start(atPaths);
  const answer = await client().call("getShopConfiguration");
  expect(answer.headers.get("cache-control")).toBe("no-store");
});
