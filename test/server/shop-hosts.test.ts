import { describe, expect, test } from "vitest";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createSetup } from "../_setup.ts";

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
const method = "api/rpc/getShopConfiguration";

type ShopAddress = { readonly host?: string | readonly string[]; readonly path?: string };

/** Shops 1, 2, … at the given addresses; returns the shop of a URL. */
async function open(addresses: readonly ShopAddress[], config: Partial<StorefrontConfig> = {}) {
  const shops = addresses.map((address, index) => ({
    shopId: index + 1,
    locale: "de-DE",
    currency: "EUR",
    ...address,
  }));
  const { app } = await start({ shopSelector: "domain", ...config, shops });
  return async (address: string) => {
    const response = await app.fetch(new Request(`http://${address}/${method}`));
    const { shopId, code } = (await response.json()) as { shopId?: number; code?: string };
    return shopId ?? code;
  };
}

describe("a shop with several hosts", () => {
  test("responds at each host, on any port unless the host has one", async () => {
    const find = await open([
      { host: ["shop.example", "www.shop.example", "preview.example:8080"] },
      { host: "other.example" },
    ]);
    for (const host of ["shop.example", "www.shop.example:8443", "WWW.shop.example"]) {
      expect(await find(host), host).toBe(1);
    }
    expect(await find("preview.example:8080")).toBe(1);
    expect(await find("other.example")).toBe(2);
    for (const host of ["preview.example", "preview.example:8081", "a.shop.example", "example"]) {
      expect(await find(host), host).toBe("unknown_shop");
    }
  });

  test("responds at every subdomain of a pattern, but not at its domain", async () => {
    const find = await open([{ host: "*.shop.example" }, { host: "*.preview.example:8080" }]);
    expect(await find("www.shop.example")).toBe(1);
    expect(await find("www.shop.example.")).toBe(1);
    expect(await find("pr-12.www.shop.example:3000")).toBe(1);
    expect(await find("a.preview.example:8080")).toBe(2);
    for (const host of [
      "shop.example",
      "evilshop.example",
      "www.shop.example.evil.example",
      "a.preview.example",
      "www.shop.example..",
    ]) {
      expect(await find(host), host).toBe("unknown_shop");
    }
  });

  test("yields to a shop with a more specific host", async () => {
    const find = await open([
      { host: "*.shop.example" },
      { host: ["*.us.shop.example", "us.shop.example"] },
      { host: "admin.us.shop.example" },
      { host: "admin.us.shop.example:8080" },
    ]);
    expect(await find("de.shop.example")).toBe(1);
    expect(await find("us.shop.example")).toBe(2);
    expect(await find("www.us.shop.example")).toBe(2);
    expect(await find("admin.us.shop.example")).toBe(3);
    expect(await find("admin.us.shop.example:8080")).toBe(4);
  });

  test("differs by path from other shops at the same hosts", async () => {
    const host = ["shop.example", "*.shop.example"];
    const find = await open([{ host, path: "de" }, { host, path: "us" }, { host: "shop.example" }]);
    expect(await find("www.shop.example/de")).toBe(1);
    expect(await find("shop.example/us")).toBe(2);
    expect(await find("shop.example")).toBe(3);
    expect(await find("www.shop.example")).toBe("unknown_shop");
  });

  test("shows its hosts to the frontend", async () => {
    const host = ["shop.example", "*.shop.example"];
    const { app } = await start({
      shopSelector: "domain",
      shops: [{ shopId: 1, locale: "de-DE", currency: "EUR", host }],
    });
    const response = await app.fetch(new Request(`http://shop.example/${method}`));
    expect(await response.json()).toMatchObject({ shopId: 1, host });
  });

  test.each<[string, readonly ShopAddress[]]>([
    ["one of them twice", [{ host: ["a.example", "b.example"] }, { host: "b.example" }]],
    ["a pattern twice", [{ host: "*.a.example" }, { host: ["*.a.example"] }]],
    [
      "one with one path twice",
      [
        { host: ["a.example"], path: "de" },
        { host: "a.example", path: "de" },
      ],
    ],
  ])("fails the config check if another shop has %s", async (_, addresses) => {
    await expect(open(addresses)).rejects.toThrow(/shops\[1\]\.(?:host|path): found .* again/);
  });
});

test("selects the shop of the URL's host and path, and rejects another shop in the header", async () => {
  const shops = [
    { shopId: 1, locale: "de-DE", currency: "EUR", host: "a.example", path: "de" },
    { shopId: 2, locale: "de-DE", currency: "EUR", host: "b.example", path: "de" },
  ];
  const { app } = await start({ shopSelector: "domain", shops });
  const statusOf = async (host: string, shopId: string) => {
    const headers = { "x-shop-id": shopId };
    return (await app.fetch(new Request(`http://${host}/de/${method}`, { headers }))).status;
  };
  expect(await statusOf("a.example", "1")).toBe(200);
  expect(await statusOf("a.example", "2")).toBe(404);
  // A proxy that rewrites Host leaves the choice to the header.
  expect(await statusOf("10.0.0.1:3000", "2")).toBe(200);
});

test("rejects a page of another shop's host, even below a wildcard pattern", async () => {
  const shops = [
    { shopId: 1, locale: "de-DE", currency: "EUR", host: ["shop.example", "*.shop.example"] },
    { shopId: 2, locale: "de-DE", currency: "EUR", host: "two.shop.example" },
  ];
  const { app } = await start({ shopSelector: "domain", shops });
  const statusOf = async (host: string, shopId: string) => {
    const headers = {
      origin: `https://${host}`,
      "sec-fetch-site": "same-origin",
      "x-shop-id": shopId,
    };
    return (await app.fetch(new Request(`https://${host}/${method}`, { headers }))).status;
  };
  expect(await statusOf("two.shop.example", "2")).toBe(200);
  expect(await statusOf("two.shop.example", "1")).toBe(403);
  expect(await statusOf("preview.shop.example", "1")).toBe(200);
  expect(await statusOf("preview.shop.example", "2")).toBe(403);
});
