import { describe, expect, test } from "vitest";
import { type ConfigFault } from "../../../server/config/config-error.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { refuse } from "../../_bad-config.ts";
import {
  development,
  production,
  resolve,
  secondShop,
  sessionOf,
  shop,
} from "../../fixtures/configs.ts";

describe("the session secret", () => {
  const long = "a phrase of 32 letters, or more, 1";

  test("defaults to a random one in development, the same for all shops without one", () => {
    const config = { session: {}, shops: [shop, { ...secondShop }] };
    const first = resolve(config);
    const secret = sessionOf(first)?.secrets[0] ?? "";
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(sessionOf(first, 1)?.secrets).toEqual([secret]);
    expect(first.warnings).toContainEqual(expect.stringContaining("session.secret is not set"));
    expect(first.warnings.join()).not.toContain(secret);
    expect(sessionOf(resolve(config))?.secrets).not.toEqual([secret]);
  });

  test("comes from the shop instead of the random one", () => {
    const shops = [{ ...shop, session: { secret: long } }, secondShop];
    const options = resolve({ session: {}, shops });
    expect(sessionOf(options)?.secrets).toEqual([long]);
    expect(sessionOf(options, 1)?.secrets).not.toEqual([long]);
  });

  test("causes a warning in development if it is short", () => {
    const { warnings } = resolve({ session: { secret: [long, "short"] } });
    expect(warnings).toContainEqual(expect.stringContaining("shorter than 32 characters"));
  });

  test.each([
    ["missing", undefined, "session.secret", "nothing"],
    ["short", "short", "session.secret", "a string of 5 characters"],
    ["short, one of several", [long, "short"], "session.secret[1]", "a string of 5 characters"],
    ["an empty list", [], "session.secret", "a list of 0"],
  ])("fails in production if it is %s", (_, secret, path, found) => {
    const expected = expect.stringContaining("a secret of 32 characters or more");
    const faults = findFaults({ shops: [shop], session: { secret } }, production);
    expect(faults).toMatchObject([{ path, found, expected }]);
  });

  test("can't come from another shop in production", () => {
    const shops = [{ ...shop, session: { secret: long } }, secondShop];
    expect(findFaults({ shops }, production)).toMatchObject([{ path: "session.secret" }]);
    const both = [shops[0], { ...secondShop, session: { secret: long } }];
    expect(resolveConfig({ shops: both }, production).shops).toHaveLength(2);
  });
});

// --- Internal helpers ---

function findFaults(config: unknown, mode = development): readonly ConfigFault[] {
  return refuse(config, mode).faults;
}
