import { expect, onTestFinished, test } from "vitest";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createStorefront } from "../../server/storefront.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { testConfig } from "../_setup.ts";

/** The status of a call, in a framework that gives all requests the URL `http://localhost:3000`. */
async function statusAt(headers: Record<string, string>, config?: Partial<StorefrontConfig>) {
  const { log } = createTestLog();
  const app = createStorefront(testConfig({ log, ...config }), { production: false });
  onTestFinished(() => app.close());
  const folder = config === undefined ? "/de" : "";
  const url = `http://localhost:3000${folder}/api/rpc/getBasket`;
  return (await app.fetch(new Request(url, { method: "POST", headers }))).status;
}

test("knows its own page by Host if the framework around it has another URL", async () => {
  const origin = "https://shop.example";
  expect(await statusAt({ origin, host: "shop.example" })).toBe(200);
  expect(await statusAt({ origin, host: "other.example" })).toBe(403);
  expect(await statusAt({ origin })).toBe(403);
});

test("knows its own page by the hosts of the shop, whatever Host a proxy sends", async () => {
  const call = { host: "10.0.0.1:3000", "x-shop-id": "1001" };
  const shops = [
    { shopId: 1001, locale: "de-DE", currency: "EUR", host: "one.example" },
    { shopId: 1002, locale: "en-US", currency: "USD", host: "two.example" },
  ];
  const statusOf = (origin: string, headers = {}) =>
    statusAt({ ...call, ...headers, origin }, { shopSelector: "path_or_default", shops });
  expect(await statusOf("https://one.example")).toBe(200);
  expect(await statusOf("https://two.example")).toBe(403);
  expect(await statusOf("https://one.example.evil.example")).toBe(403);
  const foreign = { "sec-fetch-site": "cross-site" };
  expect(await statusOf("https://one.example", foreign)).toBe(403);
});
