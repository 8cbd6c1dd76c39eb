import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { mergeConfig } from "../../../server/config/merge-config.ts";
import { createConfigSchema } from "../../../server/config/config.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { describeExplanation, explainShop } from "../../../server/config/explain.ts";
import { createFolder, json, runCli } from "../../_cli.ts";
import { testSecret } from "../../_setup.ts";

const shop = { shopId: 1001, locale: "de-DE", currency: "EUR" };
const second = { shopId: 1002, locale: "en-US", currency: "USD" };
const production = { production: true };

function explain(config: Partial<StorefrontConfig>, shopId = "1001"): string {
  const effective = mergeConfig({ shops: [shop, second], ...config }, { production: false });
  return describeExplanation(explainShop(effective, shopId, production));
}

/** The value and the origin of each key. */
function read(config: Partial<StorefrontConfig>, shopId?: string): Record<string, string[]> {
  const lines = explain(config, shopId).trimEnd().split("\n").slice(2);
  return Object.fromEntries(
    lines.map((line) => {
      const [key = "", ...rest] = line.trimEnd().split(/ {2,}/);
      return [key, rest];
    }),
  );
}

/** The keys of a schema that hold no other keys, as `session.maxAge`. */
function keysOf(schema: unknown, prefix = ""): string[] {
  if (schema instanceof z.ZodMiniOptional) return keysOf(schema.def.innerType, prefix);
  if (!(schema instanceof z.ZodMiniObject)) return [prefix.slice(0, -1)];
  return Object.entries(schema.shape).flatMap(([key, inner]) => keysOf(inner, `${prefix}${key}.`));
}

describe("explainShop", () => {
  const { shops, ...shape } = (createConfigSchema() as z.ZodMiniObject).shape;
  const own = keysOf((shops as z.ZodMiniArray).def.element);
  const all = [...Object.entries(shape).flatMap(([key, inner]) => keysOf(inner, `${key}.`)), ...own]
    // Hooks appear by name, `loginAttempts` by its keys, and `provider` not at all.
    .map((key) => key.replace(/^hooks\..*/, "hooks").replace(/^loginAttempts$/, "$&.window"))
    .filter((key) => !key.endsWith(".provider"));

  test("names every key of the config", () => {
    expect(all.length).toBeGreaterThan(60);
    expect(Object.keys(read({}))).toEqual(expect.arrayContaining(all));
  });

  test("names each key once, and no other key", () => {
    const named = Object.keys(read({})).filter((key) => !/^production$|\.per/.test(key));
    expect(named.toSorted()).toEqual([...new Set(all)].toSorted());
  });
});

describe("explainShop, for a value", () => {
  const config: Partial<StorefrontConfig> = {
    shops: [shop, { ...second, session: { maxAge: 600, tokenMethod: ["cookie", "bearer"] } }],
    session: { maxAge: 7200, absoluteTimeout: 9000, secret: ["a".repeat(40), testSecret] },
    cors: { origin: ["https://a.example", /https:\/\/.*\.b\.example/] },
    storage: { session: { driver: "redis", url: "redis://:hunter2@redis" } },
    admin: { token: "t".repeat(33) },
  };

  test.each<[key: string, value: string, from: string]>([
    ["session.sameSite", '"lax"', "default"],
    ["session.maxAge", "600", "shops[1].session.maxAge"],
    ["session.tokenMethod", '["cookie", "bearer"]', "shops[1].session.tokenMethod"],
    ["session.absoluteTimeout", "9000", "session.absoluteTimeout"],
    ["session.guestAbsoluteTimeout", "9000", "from session.absoluteTimeout"],
    ["session.idleTimeout", "600", "from session.maxAge"],
    ["session.guestIdleTimeout", "600", "from session.idleTimeout"],
    ["session.secret", "2 secrets (40, 50 characters)", "session.secret"],
    ["session.encryptionKeys", "2 secrets (40, 50 characters)", "from session.secret"],
    ["admin.token", "1 secret (33 characters)", "admin.token"],
    ["cors.origin", '["https://a.example", /https:\\/\\/.*\\.b\\.example/]', "cors.origin"],
    ["storage.session", "redis", "storage.session"],
    ["storage.basket", "redis", "from storage.session"],
    ["storage.account", "redis", "from storage.basket"],
    ["isDefault", "false", "default"],
    ["production", "true", "environment (NODE_ENV)"],
  ])("prints that %s is %s, from %s", (key, value, from) => {
    expect(read(config, "1002")[key]).toEqual([value, from]);
  });

  test("ignores the keys of other shops", () => {
    expect(read(config)["session.maxAge"]).toEqual(["7200", "session.maxAge"]);
  });

  test("raises the absolute timeout to a longer maxAge", () => {
    expect(read({ session: { maxAge: 60 * 86_400 } })["session.absoluteTimeout"]).toEqual([
      "5184000",
      "from session.maxAge",
    ]);
  });

  test("treats undefined as not set", () => {
    const shops = [{ ...shop, session: { maxAge: undefined } }];
    expect(read({ shops, session: { maxAge: 60 } })["session.maxAge"]).toEqual([
      "60",
      "session.maxAge",
    ]);
  });

  test("prints none for each key of a group that is off", () => {
    expect(read({ loginAttempts: false })["loginAttempts.perAccount"]).toEqual([
      "none",
      "loginAttempts",
    ]);
  });

  test("prints no secret", () => {
    const text = explain(config, "1002");
    for (const secret of ["hunter2", testSecret, "aaaa", "tttt"])
      expect(text).not.toContain(secret);
  });
});

describe("storefront explain", () => {
  test("prints columns", async () => {
    const folder = await createFolder({ "storefront.config.json": json });
    const { code, stdout, stderr } = await runCli(["explain", "--shop", "1"], { folder });
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.slice(0, 4)).toEqual([
      "Shop 1, whose cookie is $session-1",
      "",
      expect.stringMatching(/^production +false +environment \(NODE_ENV\)$/),
      expect.stringMatching(/^shopId +1 +shops\[0\]\.shopId$/),
    ]);
    const columns = lines.slice(2).map((line) => line.search(/\S+(?: \S+)*$/));
    expect(new Set(columns).size).toBe(1);
  });

  test("--json prints each setting with its value and source", async () => {
    const folder = await createFolder({
      "storefront.config.json": json.replace("{", '{"session":{"secret":["hunter2"]},'),
    });
    const result = await runCli(["explain", "--shop", "1", "--json"], { folder });
    expect([result.code, result.stderr]).toEqual([0, ""]);
    expect(result.stdout).not.toContain("hunter2");
    expect(JSON.parse(result.stdout)).toEqual({
      shopId: 1,
      cookie: "$session-1",
      settings: expect.arrayContaining([
        { key: "production", value: false, text: "false", source: "environment (NODE_ENV)" },
        { key: "session.maxAge", value: 86_400, text: "86400", source: "default" },
        { key: "session.sameSite", value: "lax", text: '"lax"', source: "default" },
        { key: "publicUrl", value: null, text: "none", source: "default" },
        {
          key: "session.secret",
          value: "1 secret (7 characters)",
          text: "1 secret (7 characters)",
          source: "session.secret",
        },
        { key: "storage.session", value: "memory", text: "memory", source: "default" },
      ]),
    });
  });

  test.each<[about: string, args: string[], text: string, message: string]>([
    ["an unknown shop", ["--shop", "7"], json, '--shop: found "7", expected one of 1 (SF907)\n'],
    [
      "a shop's ID with a leading zero",
      ["--shop", "01"],
      json,
      '--shop: found "01", expected one of 1 (SF907)\n',
    ],
    ["no shop", [], json, "explain needs a shop, as --shop 1001 (SF907)\n"],
    [
      "an invalid config",
      ["--shop", "1"],
      '{"shops":[]}',
      "The config has an error:\n  shops: found a list of 0, expected one shop or more (SF001)\n",
    ],
  ])("prints one message for %s", async (_, args, text, message) => {
    const folder = await createFolder({ "storefront.config.json": text });
    const result = await runCli(["explain", ...args], { folder });
    expect(result).toEqual({ code: 1, stdout: "", stderr: `storefront: ${message}` });
  });
});
