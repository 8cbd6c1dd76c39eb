import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/method.ts";
import { ConfigError, type ConfigFault } from "../../../server/config/config-error.ts";
import type { ShopConfig } from "../../../server/config/keys/shop-keys.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import type { StorefrontOptions } from "../../../server/config/options.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { refuse } from "../../_bad-config.ts";
import { createTestLog } from "../../_log.ts";
import { testSecret } from "../../_setup.ts";

const shop = { shopId: 1001, locale: "de-DE", currency: "EUR" } satisfies ShopConfig;
const secondShop = { shopId: 1002, locale: "en-US", currency: "USD" } satisfies ShopConfig;
const method = defineRpcMethod({ handler: () => "hello" });
const noop = () => {};

const development = { production: false };
const production = { production: true };

function resolve(
  config: Partial<StorefrontConfig> = {},
  mode: { production: boolean } = development,
): StorefrontOptions {
  return resolveConfig({ shops: [shop], session: { secret: testSecret }, ...config }, mode);
}

function findFaults(config: unknown, mode = development): readonly ConfigFault[] {
  return refuse(config, mode).faults;
}

function sessionOf({ shops }: StorefrontOptions, index = 0) {
  return shops[index]?.session;
}

describe("resolveConfig", () => {
  test("fills in the defaults", () => {
    const options = resolve();
    expect(options).toMatchObject({
      basePath: "/api",
      shopSelector: "path_or_default",
      storage: { account: { driver: "memory" } },
      methods: {},
      hooks: {},
      auth: undefined,
      maxBodySize: 100_000,
      callTimeout: 30,
      server: {
        keepAliveTimeout: 65,
        headersTimeout: 65,
        requestTimeout: 120,
        maxConnections: 10_000,
        drainDelay: 0,
        drainTimeout: 10,
      },
      loginAttempts: { perAccount: 10, perAddress: 100, window: 900 },
      adminTokens: [],
      trustProxy: false,
    });
    expect(options.shops).toEqual([
      {
        public: shop,
        shopId: 1001,
        isDefault: true,
        realm: "default",
        session: {
          cookieName: "$session-1001",
          sameSite: "lax",
          maxAge: 86_400,
          secrets: [testSecret],
          domain: undefined,
          idleTimeout: 86_400,
          absoluteTimeout: 2_592_000,
          guestIdleTimeout: 86_400,
          guestAbsoluteTimeout: undefined,
          renewAfter: 14_400,
          freshFor: 300,
          maxSessionsPerUser: 50,
          sessionLimitPolicy: "endOldest",
          encryptionKeys: [testSecret],
          secure: "auto",
          partitioned: false,
          tokenMethods: ["cookie"],
          authTokenHeaderKey: "storefront-auth-token",
          cache: undefined,
        },
        storage: { session: { driver: "memory" }, basket: { driver: "memory" } },
        cors: {
          origin: [],
          credentials: true,
          exposedHeaders: [],
          maxAge: 600,
        },
        basket: { mergeStrategy: "merge", maxItems: 100, maxQuantity: 1000 },
        wishlist: { maxItems: 200 },
      },
    ]);
  });

  test("delays a shutdown in production only", () => {
    const storage = { session: { driver: "redis" } };
    expect(resolve({ storage }, production).server.drainDelay).toBe(5);
    expect(resolve({ storage }, development).server.drainDelay).toBe(0);
    const server = { drainDelay: 0 };
    expect(resolve({ storage, server }, production).server.drainDelay).toBe(0);
  });

  test("fills in the default of a key that is undefined", () => {
    const nothing = { session: undefined, storage: undefined, basket: undefined };
    const options = resolve({
      ...nothing,
      session: { secret: testSecret },
      basePath: undefined,
      shopSelector: undefined,
      methods: undefined,
      hooks: undefined,
      auth: undefined,
      maxBodySize: undefined,
      trustProxy: undefined,
      server: { drainDelay: undefined },
      log: undefined,
      shops: [{ ...shop, ...nothing, host: undefined, path: undefined, realm: undefined }],
    });
    expect(options.shops).toEqual(resolve().shops);
    expect(options.basePath).toBe("/api");
    expect(options.server).toEqual(resolve().server);
  });

  test("shortens idleTimeout to a shorter maxAge", () => {
    const options = resolve({
      session: { secret: testSecret, maxAge: 7200 },
      shops: [shop, { ...secondShop, session: { maxAge: 600 } }],
    });
    expect(sessionOf(options, 0)).toMatchObject({ maxAge: 7200, idleTimeout: 7200 });
    expect(sessionOf(options, 1)).toMatchObject({ maxAge: 600, idleTimeout: 600 });
  });

  test.each([
    ["makes the first shop the default", [shop, secondShop], [true, false]],
    [
      "makes a shop with isDefault the default",
      [shop, { ...secondShop, isDefault: true }],
      [false, true],
    ],
    [
      "makes the first shop the default even if its isDefault is false",
      [{ ...shop, isDefault: false }, secondShop],
      [true, false],
    ],
  ])("%s", (_, shops, expected) => {
    expect(resolve({ shops }).shops.map(({ isDefault }) => isDefault)).toEqual(expected);
  });
});

describe("a shop's keys", () => {
  test("override the global keys one by one, and those override the defaults", () => {
    const options = resolve({
      session: { secret: testSecret, maxAge: 7200, sameSite: "strict" },
      basket: { maxItems: 50, maxQuantity: 9 },
      shops: [
        { ...shop, session: { maxAge: 600, cookieName: "sid" }, basket: { maxItems: 5 } },
        { ...secondShop, wishlist: { maxItems: 7 } },
      ],
    });
    expect(options.shops).toMatchObject([
      {
        session: { cookieName: "sid-1001", maxAge: 600, sameSite: "strict" },
        basket: { mergeStrategy: "merge", maxItems: 5, maxQuantity: 9 },
        wishlist: { maxItems: 200 },
      },
      {
        session: { cookieName: "$session-1002", maxAge: 7200, sameSite: "strict" },
        basket: { maxItems: 50 },
        wishlist: { maxItems: 7 },
      },
    ]);
  });

  test("replace a list, and add nothing to it", () => {
    const options = resolve({
      session: { secret: ["the-old-one-of-the-others", "the-new-one-of-the-others"] },
      shops: [{ ...shop, session: { secret: ["my-own"] } }],
    });
    expect(sessionOf(options)?.secrets).toEqual(["my-own"]);
  });

  // Defect 12 of the predecessors: an explicit `undefined` erased the global secret.
  test("leave the global value if they are undefined", () => {
    const session = {
      cookieName: "sid",
      sameSite: "strict",
      maxAge: 7200,
      secret: testSecret,
      domain: "shop.example",
      idleTimeout: 600,
      absoluteTimeout: 9000,
      secure: true,
      partitioned: true,
    } as const;
    const nothing = Object.fromEntries(Object.keys(session).map((key) => [key, undefined]));
    const expected = sessionOf(resolve({ session }));
    expect(expected).toMatchObject({ secrets: [testSecret], idleTimeout: 600, secure: true });
    const options = resolve({ session, shops: [{ ...shop, session: nothing }] }, production);
    expect(sessionOf(options)).toEqual(expected);
  });
});

describe("the storages of a config", () => {
  const one = { driver: "fs-lite", base: "./one" };
  const two = { driver: "fs-lite", base: "./two" };
  const three = { driver: "fs-lite", base: "./three" };

  test("are one memory storage by default", () => {
    const { shops, storage } = resolve({ shops: [shop, secondShop] });
    const all = [...shops.flatMap((each) => Object.values(each.storage)), storage.account];
    expect(new Set(all).size).toBe(1);
  });

  test("are the objects of the config in every shop", () => {
    const { shops, storage } = resolve({
      storage: { session: one },
      shops: [shop, secondShop],
    });
    const all = [...shops.flatMap((each) => Object.values(each.storage)), storage.account];
    for (const each of all) expect(each).toBe(one);
  });

  test("fall back from accounts to baskets to sessions", () => {
    const { shops, storage } = resolve({ storage: { session: one, basket: two } });
    expect(shops[0]?.storage.session).toBe(one);
    expect(shops[0]?.storage.basket).toBe(two);
    expect(storage.account).toBe(two);
    expect(resolve({ storage: { account: three } }).storage.account).toBe(three);
  });

  test("of a shop's sessions are also those of its baskets by default", () => {
    const { shops, storage } = resolve({
      storage: { session: one },
      shops: [
        { ...shop, storage: { session: two } },
        { ...secondShop, storage: { session: two, basket: three } },
        { ...secondShop, shopId: 1003, storage: { basket: three } },
      ],
    });
    expect(shops[0]?.storage.session).toBe(two);
    expect(shops[0]?.storage.basket).toBe(two);
    expect(shops[1]?.storage.basket).toBe(three);
    expect(shops[2]?.storage.session).toBe(one);
    expect(shops[2]?.storage.basket).toBe(three);
    expect(storage.account).toBe(one);
  });

  test("can be driver objects", () => {
    const driver = createMemoryDriver();
    expect(resolve({ storage: { session: driver } }).shops[0]?.storage.basket).toBe(driver);
  });
});

test("resolveConfig passes methods, hooks, auth, and log unchanged", () => {
  const { log, lines } = createTestLog();
  const methods = { method };
  const hooks = { "storefront:afterLogin": noop };
  const auth = {
    login: async () => undefined,
    register: async () => ({ id: 1 }),
    changePassword: async () => true,
  };
  const options = resolve({ methods, hooks, auth, log });
  expect(options.methods).toBe(methods);
  expect(options.hooks).toBe(hooks);
  expect(options.auth).toBe(auth);
  options.log.info("Spoken", { to: "you" });
  expect(lines).toEqual([{ level: "info", message: "Spoken", details: { to: "you" } }]);
});

describe("the session secret", () => {
  const long = "a phrase of 32 letters, or more, 1";

  test("is random in development, and the same for all shops without one", () => {
    const config = { session: {}, shops: [shop, { ...secondShop }] };
    const first = resolve(config);
    const secret = sessionOf(first)?.secrets[0] ?? "";
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(sessionOf(first, 1)?.secrets).toEqual([secret]);
    expect(first.warnings).toContainEqual(expect.stringContaining("session.secret is not set"));
    expect(first.warnings.join()).not.toContain(secret);
    expect(sessionOf(resolve(config))?.secrets).not.toEqual([secret]);
  });

  test("of a shop replaces the random one", () => {
    const shops = [{ ...shop, session: { secret: long } }, secondShop];
    const options = resolve({ session: {}, shops });
    expect(sessionOf(options)?.secrets).toEqual([long]);
    expect(sessionOf(options, 1)?.secrets).not.toEqual([long]);
  });

  test("gives a warning in development if it is short", () => {
    const { warnings } = resolve({ session: { secret: [long, "short"] } });
    expect(warnings).toContainEqual(expect.stringContaining("shorter than 32 characters"));
  });

  test.each([
    ["missing", undefined, "session.secret", "nothing"],
    ["short", "short", "session.secret", "a string of 5 characters"],
    ["short, one of several", [long, "short"], "session.secret[1]", "a string of 5 characters"],
    ["an empty list", [], "session.secret", "a list of 0"],
  ])("is rejected in production if it is %s", (_, secret, path, found) => {
    const expected = expect.stringContaining("a secret of 32 characters or more");
    const faults = findFaults({ shops: [shop], session: { secret } }, production);
    expect(faults).toMatchObject([{ path, found, expected }]);
  });

  test("is missing in production if only another shop has one", () => {
    const shops = [{ ...shop, session: { secret: long } }, secondShop];
    expect(findFaults({ shops }, production)).toMatchObject([{ path: "session.secret" }]);
    const both = [shops[0], { ...secondShop, session: { secret: long } }];
    expect(resolveConfig({ shops: both }, production).shops).toHaveLength(2);
  });
});

describe("the warnings", () => {
  test("are empty for a config that is fit for production", () => {
    const storage = { session: { driver: "redis", url: "redis://localhost" } };
    expect(resolve({ storage }, production).warnings).toEqual([]);
  });

  test.each([
    ["by default", {}],
    ["by name", { storage: { session: { driver: "redis" }, basket: { driver: "memory" } } }],
    ["as an object", { storage: { session: createMemoryDriver() } }],
    [
      "for accounts only",
      { storage: { session: { driver: "redis" }, account: { driver: "memory" } } },
    ],
  ])("say that memory is for development: %s", (_, config) => {
    const expected = [expect.stringContaining("the memory driver is for development")];
    expect(resolve(config, production).warnings).toEqual(expected);
    expect(resolve(config, development).warnings).toEqual(expected);
  });
});

test("resolveConfig accepts a frozen config, because it changes nothing", () => {
  const config = freeze({
    shops: [{ ...shop, session: { secret: [testSecret] }, storage: { basket: { driver: "fs" } } }],
    session: { secret: testSecret, maxAge: 60 },
    storage: { session: { driver: "memory" } },
    methods: { greet: method },
    trustProxy: ["127.0.0.1"],
  });
  expect(resolveConfig(config, production).shops[0]?.session.maxAge).toBe(60);
  const faulty = freeze({ ...config, shops: [{ ...shop, shopId: "1" }, shop, shop], sesion: {} });
  expect(() => resolveConfig(faulty, production)).toThrow(ConfigError);
});

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) freeze(inner as object);
  }
  return Object.freeze(value);
}
