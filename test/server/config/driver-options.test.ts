import { Redis } from "ioredis";
import createRedisDriver from "unstorage/drivers/redis";
import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { openDriver } from "../../../storage/index.ts";
import { refuse } from "../../_bad-config.ts";
import { development, shop } from "../../fixtures/configs.ts";

const url = "redis://redis.example:6379";

const wrong: readonly (readonly [option: string, meant: string, config: object])[] = [
  ["uri", "url", { driver: "redis", uri: url }],
  ["URL", "url", { driver: "redis", URL: url }],
  ["redisUrl", "url", { driver: "redis", redisUrl: url }],
  ["connectionString", "url", { driver: "redis", connectionString: url }],
  ["hostname", "host", { driver: "redis", hostname: "redis.example" }],
  ["hots", "host", { driver: "redis", hots: "redis.example" }],
  ["socket", "host", { driver: "redis", socket: { host: "redis.example" } }],
  ["pass", "password", { driver: "redis", host: "redis.example", pass: "hunter2" }],
  ["pasword", "password", { driver: "redis", host: "redis.example", pasword: "hunter2" }],
  ["user", "username", { driver: "redis", url, user: "shop" }],
  ["database", "db", { driver: "redis", url, database: 1 }],
  ["prefix", "base", { driver: "redis", url, prefix: "shop" }],
  ["ssl", "tls", { driver: "redis", url, ssl: true }],
  ["sentinel", "sentinels", { driver: "redis", sentinel: [{ host: "a.example" }], name: "main" }],
  [
    "sentinels[1].hostname",
    "host",
    { driver: "redis", sentinels: [{}, { hostname: "b.example" }] },
  ],
  ["nodes", "cluster", { driver: "redis", nodes: [url] }],
  ["cluster[0].hostname", "host", { driver: "redis", cluster: [{ hostname: "a.example" }] }],
  [
    "clusterOptions.redisOption",
    "redisOptions",
    { driver: "redis", cluster: [url], clusterOptions: { redisOption: {} } },
  ],
  [
    "clusterOptions.redisOptions.pass",
    "password",
    { driver: "redis", cluster: [url], clusterOptions: { redisOptions: { pass: "hunter2" } } },
  ],
  [
    "password",
    "clusterOptions.redisOptions.password",
    { driver: "redis", cluster: [url], password: "hunter2" },
  ],
  [
    "keyPrefix",
    "clusterOptions.keyPrefix",
    { driver: "redis", cluster: [url], keyPrefix: "shop:" },
  ],
  ["options.uri", "url", createRedisDriver({ uri: url } as object)],
  ["maxItems", "max", { driver: "lru-cache", maxItems: 10 }],
  ["maxsize", "maxSize", { driver: "lruCache", maxsize: 10 }],
  ["readonly", "readOnly", { driver: "fs", base: "./data", readonly: true }],
  ["header", "headers", { driver: "http", base: "https://a.example", header: {} }],
];

describe("resolveConfig", () => {
  test.each(wrong)("rejects the driver option %s, because %s is meant", (option, meant, config) => {
    const { faults, message } = refuse({ shops: [shop], storage: { session: config } });
    expect(faults).toMatchObject([
      {
        path: `storage.session.${option}`,
        expected: `no such option; did you mean ${meant}?`,
      },
    ]);
    expect(message).not.toMatch(/hunter2|redis\.example/);
  });

  test("accepts every option of ioredis, and options that it doesn't know", () => {
    const { options } = new Redis({ lazyConnect: true });
    const all = Object.fromEntries(Object.keys(options).map((name) => [name, null]));
    const others = { label: "sessions", mode: "standalone", kind: 1, id: 2, uri: undefined };
    for (const storage of [
      { driver: "redis", ...all, ...others, url },
      { driver: "redis", cluster: [url], password: undefined, base: "shop", connectTimeout: 500 },
      { driver: "redis", cluster: [url], username: "", password: "", tls: null, keyPrefix: "" },
      { driver: "redis", cluster: null, url, password: "hunter2", keyPrefix: "shop:" },
      { driver: "redis", cluster: [7000, url, { host: "a.example", port: 7000 }] },
      {
        driver: "redis",
        sentinels: [{ host: "a.example", port: 26_379, family: 6 }],
        name: "main",
      },
      { driver: "memory", url, label: "for development" },
      { driver: "fs", base: "./data", password: "unused" },
      createRedisDriver({ url, lazyConnect: true }),
      // Not unstorage's driver.
      {
        ...openDriver({ driver: "memory" }),
        name: "redis",
        getInstance: undefined,
        options: { uri: url },
      },
    ]) {
      const config = { shops: [shop], storage: { session: storage } };
      expect(() => resolveConfig(config, development)).not.toThrow();
    }
  });
});

test("openDriver rejects the options that resolveConfig rejects", () => {
  expect(() => openDriver({ driver: "redis", uri: url })).toThrow(
    'The storage driver "redis" has no option uri; did you mean url?',
  );
});
