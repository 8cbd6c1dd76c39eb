import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { badValues, refuse } from "../../_bad-config.ts";
import { testSecret } from "../../_setup.ts";
import { development, production, secondShop, shop } from "../../fixtures/configs.ts";

const method = defineRpcMethod({ handler: () => "hello" });
const noop = () => {};

/** The lines of the error message below its title. */
function findFaults(config: unknown, mode = development): string[] {
  const { message } = refuse(config, mode);
  return message.split("\n").slice(1);
}

/** A valid config except for one path, for example `shops[0].session.maxAge`. */
function withValue(path: string, value: unknown): Record<string, unknown> {
  const config = { shops: [{ ...shop }] };
  const keys = path.split(/[.[\]]+/);
  let place = config as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) {
    if (!Object.hasOwn(place, key)) place[key] = {};
    place = place[key] as Record<string, unknown>;
  }
  // `=` would set the prototype for the key `__proto__`.
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

  test("names the wrong items of a list", () => {
    const hole = ["10.0.0.0/8", "loopback"];
    delete hole[0];
    for (const [path, value, items] of [
      ["cors.origin", ["https://a.example", "https://b.example/"], "[1] is"],
      ["cors.allowedHeaders", ["x y", "x-a", "*"], "[0], [2] are"],
      ["shops[0].host", ["a.example", "https://b.example"], "[1] is"],
      ["trustProxy", ["10.0.0.0/33", "loopback"], "[0] is"],
      ["trustProxy", hole, "[0] is"],
    ] as const) {
      const { faults } = refuse(withValue(path, value));
      expect(faults[0]?.expected.endsWith(`; ${items} none of these`), path).toBe(true);
    }
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
    // An additional comma leaves such a hole.
    const shops = [shop, shop, secondShop];
    delete shops[1];
    expect(findFaults({ shops })).toEqual([
      "  shops[1]: found nothing, expected an object (SF001)",
    ]);
  });
});

const bothShops = [shop, secondShop];

/** Configs by the line of the error message. */
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
