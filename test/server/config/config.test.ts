import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { ConfigError } from "../../../server/config/config-error.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { testSecret } from "../../_setup.ts";
import {
  development,
  production,
  resolve,
  secondShop,
  sessionOf,
  shop,
} from "../../fixtures/configs.ts";

const method = defineRpcMethod({ handler: () => "hello" });
const noop = () => {};

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

describe("the warnings", () => {
  test("don't appear for a config that is fit for production", () => {
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
