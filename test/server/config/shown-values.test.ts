import { describe, expect, test } from "vitest";
import { describeValue } from "../../../server/config/diagnostics.ts";
import { checkConfig } from "../../../server/config/check.ts";
import { createSetup } from "../../_setup.ts";

const shop = { shopId: 1001, locale: "de-DE", currency: "EUR" };
const found = (config: object) =>
  checkConfig({ shops: [shop], ...config }, { production: false }).diagnostics.map(
    (finding) => finding.found,
  );

describe("a diagnostic", () => {
  test.each([
    ["a path", { basePath: "api" }, '"api"'],
    ["a driver", { storage: { session: { driver: "no-such" } } }, '"no-such"'],
    ["a cookie's name", { session: { cookieName: "a b" } }, '"a b"'],
    ["a lifetime", { session: { maxAge: -5 } }, "-5"],
    ["a limit", { basket: { maxItems: 0 } }, "0"],
    ["a key of a group in a group", { session: { cache: { max: 0 } } }, "0"],
    ["a currency", { shops: [{ ...shop, currency: "eur" }] }, '"eur"'],
  ])("shows a value if its key cannot contain a secret: %s", (_, config, text) => {
    expect(found(config)).toContain(text);
  });

  test.each([
    ["a secret", { session: { secret: ["ok", 4711] } }, "a number"],
    ["a token", { admin: { token: "hunter2" } }, "a string of 7 characters"],
    ["a driver's option", { storage: { session: "hunter2" } }, "a string of 7 characters"],
    ["an unknown key", { pasword: "hunter2" }, "a string of 7 characters"],
    ["a list of origins", { cors: { origin: "hunter2" } }, "a string of 7 characters"],
  ])("shows only the length if the key can contain a secret: %s", (_, config, text) => {
    expect(found(config)).toContain(text);
    expect(found(config).join()).not.toMatch(/hunter2|4711/);
  });

  test("shows only the length of a value that looks like a secret", () => {
    expect(describeValue("x".repeat(32), "path")).toBe("a string of 32 characters");
    expect(describeValue("user:pass@host", "host")).toBe("a string of 14 characters");
  });
});

describe("the depth limit of payloads", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
  const brackets = "[".repeat(40);

  test.each([
    ["a quote", `"\\"${brackets}"`],
    ["a backslash and a quote", `"\\\\\\"${brackets}"`],
    ["a quote, and ends", `"${brackets}\\"","b":"${brackets}"`],
  ])("ignores brackets in a string, even after an escaped %s", async (_, text) => {
    const { send } = await start();
    const body = `{"payload":{"email":${text}}}`;
    const headers = { "content-type": "application/json", "x-shop-id": "1001" };
    const response = await send("/api/rpc/login", { method: "POST", headers, body });
    expect([response.status, (await response.json()).code]).toEqual([422, "invalid_input"]);
  });

  test("counts brackets after a string that ends in a backslash", async () => {
    const { send } = await start();
    const body = `{"payload":{"email":"\\\\","b":${brackets}${"]".repeat(40)}}}`;
    const headers = { "content-type": "application/json", "x-shop-id": "1001" };
    const response = await send("/api/rpc/login", { method: "POST", headers, body });
    expect((await response.json()).detail).toContain("nested too deeply");
  });
});
