import { describe, expect, test } from "vitest";
import { refuse } from "../../_bad-config.ts";
import { testSecret } from "../../_setup.ts";
import { production, secondShop, shop } from "../../fixtures/configs.ts";

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
    const places = [shop, secondShop].map((each) => ({ ...each, host: secret, path: secret }));
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
    const { message } = refuse({ shops: [shop], session: { secret: password } }, production);
    expect(message.split("\n").slice(1)).toEqual([
      "  session.secret: found a string of 7 characters, expected a secret of 32 characters or more, or a list of them (SF102)",
    ]);
  });
});

// --- Internal helpers ---

/** Copies of a config: each has the value instead of one value, or at one additional key. */
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
