import { describe, expect, test } from "vitest";
import { describeStart } from "../../../server/cli/banner.ts";
import type { StoreInfo } from "../../../server/services.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { testConfig, testSecret } from "../../_setup.ts";

const redis: StoreInfo = {
  uses: "sessions, baskets",
  driver: "redis",
  capabilities: { atomic: "cluster", changes: "pushed", ttl: "native" },
};
const memory: StoreInfo = {
  uses: "accounts",
  driver: "memory",
  capabilities: { atomic: "process", ttl: "stored" },
};
const storage = { session: { driver: "redis" } };

function describeStartOf(config: Partial<StorefrontConfig>, url = "http://127.0.0.1:3000/") {
  const options = resolveConfig(testConfig({ storage, ...config }), { production: false });
  return describeStart(url, options, [redis, memory]);
}

describe("the startup message", () => {
  test("prints the URL, the shops, and the storages", () => {
    expect(describeStartOf({})).toBe(`Storefront Core listens on http://127.0.0.1:3000

Shops
  1001  de-DE EUR  http://127.0.0.1:3000/de/api/rpc/<method>
  1002  en-US USD  http://127.0.0.1:3000/us/api/rpc/<method>
  (or any of them at http://127.0.0.1:3000/api/rpc/<method> with the header x-shop-id)

Development page
  http://127.0.0.1:3000/_storefront

Storage
  redis for sessions, baskets: atomic across all processes on it, expiry by the storage
  memory for accounts: atomic within this process, expiry by a sweep of this process
`);
  });

  test("prints that sessions are not cached if a storage doesn't push changes", () => {
    const options = resolveConfig(testConfig({ storage }), { production: false });
    const cluster: StoreInfo = {
      uses: "sessions",
      driver: "redis",
      capabilities: { atomic: "cluster", changes: "unheard", ttl: "native" },
    };
    expect(describeStart("http://127.0.0.1:1", options, [cluster])).toContain(
      "atomic across all processes on it, sessions not cached, expiry by the storage",
    );
  });

  test("prints warnings last, and no secret", () => {
    const text = describeStartOf({ storage: {}, session: { secret: "short" } });
    expect(text).toMatch(
      /\n\nWarnings\n {2}session\.secret is shorter .*\n {2}the memory driver .*\n$/,
    );
    expect(text).not.toContain('"short"');
    expect(describeStartOf({})).not.toContain(testSecret);
  });

  test.each<[string, Partial<StorefrontConfig>, string]>([
    [
      "the default shop, at the root",
      { shops: [{ shopId: 1, locale: "de", currency: "EUR" }], shopSelector: "path_or_default" },
      "http://127.0.0.1:3000/api/rpc/<method>",
    ],
    [
      "a shop with a host, next to the default one",
      {
        shops: [
          { shopId: 2, locale: "de", currency: "EUR" },
          { shopId: 1, locale: "de", currency: "EUR", host: "shop.example" },
        ],
        shopSelector: "path_or_default",
      },
      "http://shop.example/api/rpc/<method>",
    ],
    [
      "another base path",
      { shops: [{ shopId: 1, locale: "de", currency: "EUR", path: "de" }], basePath: "/v1" },
      "http://127.0.0.1:3000/de/v1/rpc/<method>",
    ],
    [
      "a host",
      {
        shops: [{ shopId: 1, locale: "de", currency: "EUR", host: "shop.example:8080" }],
        shopSelector: "domain",
      },
      "http://shop.example:8080/api/rpc/<method>",
    ],
    [
      "a shop without a place",
      {
        shops: [
          { shopId: 2, locale: "de", currency: "EUR", isDefault: true },
          { shopId: 1, locale: "de", currency: "EUR" },
        ],
        shopSelector: "path_or_default",
      },
      "by its header only",
    ],
  ])("prints the host and path of %s", (_, config, place) => {
    expect(describeStartOf(config)).toContain(`\n  1  de EUR  ${place}\n`);
  });

  test.each([
    ["http://0.0.0.0:3000/", "http://localhost:3000"],
    ["http://[::]:3000/", "http://localhost:3000"],
  ])("prints a URL that opens if the server listens on all addresses: %s", (url, origin) => {
    const text = describeStartOf({}, url);
    expect(text).toContain(`listens on ${origin} (and all other addresses)\n`);
    expect(text).toContain(` ${origin}/de/api/rpc/<method>\n`);
  });
});
