import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/method.ts";
import type { ShopConfig } from "../../../server/config/keys/shop-keys.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { badValues, refuse } from "../../_bad-config.ts";
import { testSecret } from "../../_setup.ts";

const shop = { shopId: 1001, locale: "de-DE", currency: "EUR" } satisfies ShopConfig;
const secondShop = { shopId: 1002, locale: "en-US", currency: "USD" } satisfies ShopConfig;
const method = defineRpcMethod({ handler: () => "hello" });
const noop = () => {};

const development = { production: false };
const production = { production: true };

/** The lines of the report, below its title. */
function findFaults(config: unknown, mode = development): string[] {
  const { message } = refuse(config, mode);
  return message.split("\n").slice(1);
}

/** A config that is sound but for one place, as `shops[0].session.maxAge`. */
function withValue(path: string, value: unknown): Record<string, unknown> {
  const config = { shops: [{ ...shop }] };
  const keys = path.split(/[.[\]]+/);
  let place = config as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) {
    if (!Object.hasOwn(place, key)) place[key] = {};
    place = place[key] as Record<string, unknown>;
  }
  // Not by `=`, to which `__proto__` is no key.
  const key = keys.at(-1) as string;
  Object.defineProperty(place, key, { value, enumerable: true });
  return config;
}

describe("resolveConfig, for one invalid key,", () => {
  const cases = Object.entries(badValues).flatMap(([path, [values, expected]]) =>
    values.map((value) => ({ path, value, expected })),
  );

  test.each(cases)("rejects $path: $value", ({ path, value, expected }) => {
    const { faults } = refuse(withValue(path, value));
    expect(faults).toHaveLength(1);
    const isInList =
      Array.isArray(value) && value.length > 0 && /\.(?:secret|encryptionKeys|token)$/.test(path);
    expect(faults[0]?.path).toBe(isInList ? `${path}[0]` : path);
    expect(faults[0]?.expected).toContain(expected);
    const { message } = refuse(withValue(path, value));
    expect(message).not.toMatch(/invalid|unrecognized|too (?:small|big)|received|zod|undefined/i);
  });

  test.each([
    [undefined, "nothing"],
    [null, "null"],
    ["shops", "a string of 5 characters"],
    [[shop], "a list of 1"],
    [noop, "a function"],
  ])("rejects a config that is %j", (config, found) => {
    expect(findFaults(config)).toEqual([
      `  the config: found ${found}, expected an object (SF001)`,
    ]);
  });

  test.each([
    ["abc", "session.abc"],
    ["secret:hunter2", "session.a key of 14 characters"],
    ["x".repeat(32), "session.a key of 32 characters"],
  ])("does not show an unknown key that can be a secret: %s", (key, path) => {
    const { faults, message } = refuse({ shops: [shop], session: { [key]: null } });
    expect(faults.map((fault) => fault.path)).toEqual([path]);
    expect(message.includes(key)).toBe(path.endsWith(key));
  });

  test("rejects a config without shops, and an invalid shop", () => {
    expect(findFaults({ shops: [] })).toEqual([
      "  shops: found a list of 0, expected one shop or more (SF001)",
    ]);
    expect(findFaults({ shops: [shop, 7] })).toEqual([
      "  shops[1]: found a number, expected an object (SF001)",
    ]);
    // As a comma too many leaves it.
    const shops = [shop, shop, secondShop];
    delete shops[1];
    expect(findFaults({ shops })).toEqual([
      "  shops[1]: found nothing, expected an object (SF001)",
    ]);
  });
});

const bothShops = [shop, secondShop];

/** What the report says, and the config it says it of. */
const conflicts: Readonly<Record<string, object>> = {
  "shops[1].shopId: found 1001 again, expected a different ID for each shop (SF002)": {
    shops: [shop, { ...secondShop, shopId: 1001 }],
  },
  "shops[1].isDefault: found true again, expected one default shop (SF004)": {
    shops: bothShops.map((each) => ({ ...each, isDefault: true })),
  },
  'shops[1].path: found "/de" again, expected a different host or path for each shop (SF003)': {
    shops: bothShops.map((each) => ({ ...each, path: "de" })),
  },
  'shops[1].path: found "a.example/de" again, expected a different host or path for each shop (SF003)':
    {
      shops: bothShops.map((each) => ({ ...each, path: "de", host: "a.example" })),
    },
  'shops[1].host: found "a.example/" again, expected a different host or path for each shop (SF003)':
    {
      shops: bothShops.map((each) => ({ ...each, host: "a.example" })),
    },
  'shops[0].path: found "api", expected another path than the methods\' (basePath is "/api/v1") (SF006)':
    {
      basePath: "/api/v1",
      shops: [{ ...shop, path: "api" }],
    },
  'shops[1].host: found nothing, expected a host, because shopSelector is "domain" (SF005)': {
    shopSelector: "domain",
    shops: [
      { ...shop, host: "a.example" },
      { ...secondShop, path: "us" },
    ],
  },
  'shops[1].path: found nothing, expected a path, because shopSelector is "path" (SF005)': {
    shopSelector: "path",
    shops: [
      { ...shop, path: "de" },
      { ...secondShop, host: "a.example" },
    ],
  },
  "session.idleTimeout: found 61, expected no more than maxAge, which is 60 (SF301)": {
    session: { maxAge: 60, idleTimeout: 61 },
  },
  "session.idleTimeout: found 86401, expected no more than maxAge, which is 86400 (SF301)": {
    session: { idleTimeout: 86_401 },
  },
  "session.idleTimeout: found 600, expected no more than maxAge, which is 60 (SF301)": {
    session: { idleTimeout: 600 },
    shops: [{ ...shop, session: { maxAge: 60 } }],
  },
  'session.secure: found false, expected true or "auto", because sameSite is "none" (SF201)': {
    session: { sameSite: "none", secure: false },
  },
  'shops[0].session.secure: found false, expected true or "auto", because sameSite is "none" (SF201)':
    {
      session: { sameSite: "none" },
      shops: [{ ...shop, session: { secure: false } }],
    },
  'session.secure: found false, expected true or "auto", because partitioned is true (SF201)': {
    session: { partitioned: true, secure: false },
  },
  'session.secure: found false, expected true or "auto", because cookieName is "__Secure-sid" (SF201)':
    {
      session: { cookieName: "__Secure-sid", secure: false },
    },
  'session.secure: found false, expected true or "auto", because cookieName is "__Host-sid" (SF201)':
    {
      session: { cookieName: "__Host-sid", secure: false },
    },
  'session.domain: found "a.example", expected no domain, because cookieName is "__Host-sid" (SF202)':
    {
      session: { cookieName: "__Host-sid", domain: "a.example" },
    },
};

describe("resolveConfig, for keys that conflict,", () => {
  test.each(Object.entries(conflicts))("reports %s", (line, config) => {
    expect(findFaults({ shops: [shop], ...config })).toEqual([`  ${line}`]);
  });

  test("accepts keys that fit together", () => {
    const session = { secret: testSecret, maxAge: 60, idleTimeout: 60, sameSite: "none" };
    const config = {
      shopSelector: "domain",
      session: { ...session, cookieName: "__Secure-sid", partitioned: true, domain: "a.example" },
      shops: [
        { ...shop, host: "a.example", path: "de" },
        { ...secondShop, host: "a.example", path: "us" },
        { ...shop, shopId: 1003, host: "b.example:8443", path: "de" },
      ],
    };
    expect(resolveConfig(config, production).shops).toHaveLength(3);
  });
});

describe("ConfigError", () => {
  test("lists all errors, one line each", () => {
    const { message, faults } = refuse(
      {
        basePath: "api",
        sesion: {},
        session: { maxAge: "1d", secure: false, partitioned: true, maxage: 1 },
        storage: { session: { driver: "reddis" } },
        methods: { "get-basket": method, greet: noop },
        shops: [
          { ...shop, currency: "eur", path: "de" },
          { ...secondShop, shopId: 1001, path: "de", session: { sameSite: "Lax" } },
          "de",
        ],
      },
      production,
    );
    const paths = [
      "basePath",
      "methods.greet",
      "methods.get-basket",
      "sesion",
      "session.maxAge",
      "session.maxage",
      "session.secret",
      "session.secure",
      "shops[0].currency",
      "shops[1].path",
      "shops[1].session.sameSite",
      "shops[1].shopId",
      "shops[2]",
      "storage.session.driver",
    ];
    expect(faults.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
    expect(message.split("\n")).toHaveLength(1 + paths.length);
    expect(message).toMatch(
      /^The config has 14 errors:\n {2}\S+: found .+, expected .+ \(SF\d{3}\)\n/,
    );
    expect(message).toContain(
      '  shops[0].currency: found "eur", expected a currency code, for example EUR (SF001)\n',
    );
  });

  test("lists an error even if an unknown key is a prefix of its key", () => {
    const config = { s: 1, shops: [shop, shop], session: { sec: 1 } };
    const paths = refuse(config, production).faults.map(({ path }) => path);
    expect(paths.toSorted()).toEqual(["s", "session.sec", "session.secret", "shops[1].shopId"]);
  });

  test("lists an error of a global key once for all shops", () => {
    const session = { secure: false, sameSite: "none" };
    expect(findFaults({ session, shops: bothShops })).toHaveLength(1);
  });
});

describe("ConfigError contains no secret,", () => {
  const password = "hunter2";
  const url = `redis://:${password}@redis:6379`;

  test.each<[string, object]>([
    ["a short one", { session: { secret: password } }],
    ["a short one of a shop", { shops: [{ ...shop, session: { secret: password } }] }],
    ["in a list", { session: { secret: [testSecret, password] } }],
    ["in an object", { session: { secret: { value: password } } }],
    ["at a key that does not exist", { session: { secrets: password, password } }],
    ["at the wrong level", { secret: password }],
    ["as the whole session", { session: password }],
    ["where a domain should be", { session: { domain: url } }],
    ["where a host should be", { shops: [{ ...shop, host: url }] }],
    ["in the address of a storage", { storage: { session: { url } } }],
    ["as a storage", { storage: { session: url, basket: password } }],
    ["as a driver", { storage: { session: { driver: url } } }],
    ["among a driver's options", { storage: { session: { driver: "x", password, url } } }],
  ])("%s", (_, config) => {
    const error = refuse({ shops: [shop], ...config }, production);
    expect(error.message).not.toContain(password);
    expect(JSON.stringify(error.faults)).not.toContain(password);
  });

  test.each<[string, object]>([
    ["a number", { session: { secret: 31_415_926 } }],
    ["a number in a list", { session: { secret: [31_415_926] } }],
    ["a number at a key that does not exist", { storage: { password: 31_415_926 } }],
  ])("%s", (_, config) => {
    expect(refuse({ shops: [shop], ...config }).message).not.toContain("31415926");
  });

  test("whatever key of a full config it is in, and in unknown keys", () => {
    const full = {
      shops: [{ ...shop, host: "a.example", path: "de", isDefault: true, realm: "r" }, shop],
      basePath: "/api",
      shopSelector: "path",
      session: {
        cookieName: "sid",
        sameSite: "none",
        maxAge: 60,
        secret: [testSecret],
        domain: "a.example",
        idleTimeout: 61,
        absoluteTimeout: 9,
        secure: false,
        partitioned: true,
      },
      storage: { session: { driver: "redis", url }, basket: { driver: "fs" }, account: {} },
      basket: { mergeStrategy: "merge", maxItems: 1, maxQuantity: 1 },
      wishlist: { maxItems: 1 },
      methods: { greet: { handler: "" } },
      hooks: { "storefront:afterLogin": "" },
      auth: { login: "" },
      maxBodySize: 1,
      trustProxy: ["127.0.0.1"],
      publicUrl: "https://a.example",
      log: { info: "" },
    };
    const secrets = ["k4-".repeat(12), url];
    let reports = 0;
    for (const secret of secrets) {
      for (const wrong of [secret, [secret], { secret }, { driver: secret }]) {
        for (const config of variantsOf(full, wrong)) {
          const { message, faults } = refuse(config, production);
          expect(message + JSON.stringify(faults)).not.toContain(secret);
          expect(message).not.toContain(password);
          reports++;
        }
      }
    }
    expect(reports).toBeGreaterThan(300);
  });

  test("even if its key conflicts with another", () => {
    const [secret, other] = [
      "0123456789abcdef".repeat(4),
      `__Host-${"0123456789abcdef".repeat(2)}`,
    ];
    const places = bothShops.map((each) => ({ ...each, host: secret, path: secret }));
    const session = { cookieName: other, domain: secret, secure: false };
    const { message, faults } = refuse({ shops: places, basePath: `/${secret}`, session });
    expect(faults.map(({ path }) => path)).toEqual([
      "shops[1].path",
      "shops[0].path",
      "shops[1].path",
      "session.secure",
      "session.domain",
    ]);
    expect(message).not.toContain(secret);
    expect(message).not.toContain(other);
  });

  test("only its length", () => {
    expect(findFaults({ shops: [shop], session: { secret: password } }, production)).toEqual([
      "  session.secret: found a string of 7 characters, expected a secret of 32 characters or more, or a list of them (SF102)",
    ]);
  });
});

/** The same with a value in the place of each value in turn, and at one more key of each object. */
function variantsOf(config: unknown, value: unknown): unknown[] {
  if (typeof config !== "object" || config === null) return [value];
  if (Array.isArray(config)) {
    const inner = config.flatMap((item, index) =>
      variantsOf(item, value).map((variant) => config.with(index, variant)),
    );
    return [value, ...inner];
  }
  const keys = Object.entries({ ...config, password: "" });
  const inner = keys.flatMap(([key, old]) =>
    variantsOf(old, value).map((variant) => ({ ...config, [key]: variant })),
  );
  return [value, ...inner];
}
