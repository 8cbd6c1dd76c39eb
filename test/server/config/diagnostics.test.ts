import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../server/config/config-error.ts";
import { checkConfig } from "../../../server/config/check.ts";
import type { Environment } from "../../../server/config/environment.ts";
import { isOneOfSeveral } from "../../../server/config/environment.ts";
import { diagnosticKinds } from "../../../server/config/diagnostics.ts";
import type { DiagnosticKind } from "../../../server/config/diagnostic-kind.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { isWeakSecret } from "../../../server/config/weak-secret.ts";
import { findingCases, sound, storageCodes } from "../../_findings.ts";
import { testSecret } from "../../_setup.ts";
import { readTable } from "../../_table.ts";

const production: Environment = { production: true };
const kinds: Readonly<Record<string, DiagnosticKind>> = diagnosticKinds;

function find(config: object, environment = production) {
  return checkConfig({ ...sound, ...config }, environment).diagnostics;
}

function codesOf(config: object, environment = production): string[] {
  return find(config, environment).map(({ code }) => code);
}

describe("a diagnostic", () => {
  test.each(Object.entries(findingCases))(
    "%s is reported for its case only",
    (code, { bad, good, path, environment }) => {
      const found = find(bad, environment).filter((finding) => finding.code === code);
      expect(found.map((finding) => finding.path)).toEqual([path]);
      expect(found[0]?.severity).toBe(kinds[code]?.severity);
      expect(codesOf(good, environment)).not.toContain(code);
    },
  );

  test.each(Object.entries(findingCases))(
    "%s has its own severity in development",
    (code, { bad, environment }) => {
      const { severity, development = severity } = kinds[code] as DiagnosticKind;
      const found = find(bad, { ...environment, production: false });
      const severities = found
        .filter((finding) => finding.code === code)
        .map((each) => each.severity);
      expect(severities).toEqual(development === "none" ? [] : [development]);
    },
  );

  test.each(Object.entries(findingCases))(
    "%s acts at startup by its severity",
    (code, { bad, environment = production }) => {
      const config = { ...sound, ...bad };
      const start = () => resolveConfig(config, environment).warnings.join("\n");
      const { severity, about, isDeferred } = kinds[code] as DiagnosticKind;
      if (isDeferred) {
        expect(resolveConfig(config, environment).refusal?.faults).toContainEqual(
          expect.objectContaining({ code }),
        );
      } else if (severity === "error") expect(start).toThrow(/^The config has /);
      else if (severity === "warning") expect(start()).toContain(`${about} (${code}: `);
      else expect(start()).not.toContain(code);
    },
  );

  test("uses the same words in the program and in docs/doctor.md, and has a test", () => {
    const tested = [...Object.keys(findingCases), ...storageCodes];
    expect(tested.toSorted()).toEqual(Object.keys(kinds).toSorted());
    const rows = Object.entries(kinds).map(
      ([code, { severity, development = severity, about, remedy }]) => [
        `\`${code}\``,
        severity,
        development === "none" ? "" : development,
        about,
        remedy,
      ],
    );
    expect(readTable("docs/doctor.md", "code")).toEqual(rows);
  });

  test("contains no secret", () => {
    const password = "hunter2-hunter2-hunter2-hunter2-hunter2";
    const url = `redis://:${password}@redis.example`;
    const findings = find({
      shops: [sound.shops[0], { ...sound.shops[0], shopId: 7, realm: "b" }],
      session: { secret: password, encryptionKeys: password },
      admin: { token: password },
      storage: {
        session: { driver: "redis", url, ttl: 1 },
        basket: { driver: "fs", password },
        singleProcess: true,
      },
    });
    expect(findings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(["SF103", "SF104", "SF105", "SF106", "SF503", "SF505", "SF507"]),
    );
    expect(JSON.stringify(findings)).not.toContain("hunter2");
  });
});

test("checkConfig reports only notices for a valid config", () => {
  const severities = find({}).map(({ severity }) => severity);
  expect(new Set(severities)).toEqual(new Set(["notice"]));
});

test.each([
  ["a session secret", { session: { secret: "a".repeat(40) } }, "session.secret"],
  ["one of several", { session: { secret: ["a".repeat(40), testSecret] } }, "session.secret[0]"],
  [
    "an encryption key",
    { session: { secret: testSecret, encryptionKeys: "changeme".repeat(5) } },
    "session.encryptionKeys",
  ],
  ["an admin token", { admin: { token: "x".repeat(40) } }, "admin.token"],
])("production does not start with %s that a guesser tries first", (_, config, path) => {
  const start = () => resolveConfig({ ...sound, ...config }, production);
  expect(start).toThrow(ConfigError);
  expect(start).toThrow(path);
  const { warnings } = resolveConfig({ ...sound, ...config }, { production: false });
  expect(warnings.join()).toContain(`SF103: ${path}`);
});

test("toWarnings joins the paths of one kind in one line", () => {
  const shops = [1, 2].map((shopId) => ({
    ...sound.shops[0],
    shopId,
    session: { secure: false },
  }));
  const { warnings } = resolveConfig({ ...sound, shops }, production);
  expect(warnings).toEqual([
    `${diagnosticKinds.SF203.about} (SF203: shops[0].session.secure, shops[1].session.secure)`,
  ]);
});

test("resolveConfig gives each shop another cookie name", () => {
  const shopsOf = fc.uniqueArray(
    fc.record({ shopId: fc.integer({ min: 1 }), cookieName: fc.stringMatching(/^[\w$-]{1,9}$/) }),
    { minLength: 2, selector: ({ shopId }) => shopId },
  );
  fc.assert(
    fc.property(shopsOf, (given) => {
      const shops = given.map(({ shopId, cookieName }) => ({
        ...sound.shops[0],
        shopId,
        session: { cookieName },
      }));
      const options = resolveConfig({ ...sound, shops }, { production: false });
      expect(new Set(options.shops.map(({ session }) => session.cookieName)).size).toBe(
        shops.length,
      );
    }),
  );
});

describe("isWeakSecret", () => {
  test.each([
    "x".repeat(64),
    "changemechangemechangemechangeme",
    "change-me-please-this-is-not-secret",
    "current-secret-current-secret-123",
    "abcdefghijklmnopqrstuvwxyz012345",
    "12345678901234567890123456789012",
    "correct-horse-1 correct-horse-1 correct",
    "kdjfhgqwkdjfhgqwkdjfhgqwkdjfhgqwkdjfhgqw-mine",
    "some-random-string-with-at-least-32-chars",
    "letmein-welcome-hello-world-1234567890",
    "qwertyuiopasdfghjklzxcvbnm1234567890",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "complex_password_at_least_32_characters_long",
    "please-change-this-secret-in-production!",
    "correcthorsebatterystaple12345678",
  ])("finds that %s is weak", (secret) => {
    expect(isWeakSecret(secret)).toBe(true);
  });

  test("accepts random secrets", () => {
    for (let count = 0; count < 200; count++) {
      for (const encoding of ["hex", "base64url"] as const) {
        expect(isWeakSecret(randomBytes(32).toString(encoding))).toBe(false);
      }
    }
    expect(isWeakSecret(testSecret)).toBe(false);
  });
});

describe("the rule for cors.origin", () => {
  test.each<[string, unknown, string[]]>([
    ["any, by a function", () => true, ["SF401"]],
    ["by a function that chooses", (origin: string) => origin === "https://a.example", []],
    [
      "by a function that fails",
      () => {
        throw new Error("no");
      },
      [],
    ],
    ["with a bare dot", [/https:\/\/shop.example/], ["SF402"]],
    ["with an open end", [/https:\/\/shop\.example.*/], ["SF402"]],
    ["a port of any number", [/https:\/\/shop\.example(:\d+)?/], []],
    ["one label below", [/^https:\/\/[a-z0-9-]+\.shop\.example$/], []],
    ["by HTTP too", [/https?:\/\/shop\.example/], ["SF403"]],
    ["of localhost, by a pattern", [/http:\/\/localhost:\d+/], ["SF404"]],
    ["of 127.0.0.1", ["http://127.0.0.1:3000"], ["SF404"]],
  ])("%s", (_, origin, codes) => {
    const found = codesOf({ cors: { origin } }).filter((code) => code.startsWith("SF4"));
    expect(found).toEqual(codes);
  });

  test("accepts every origin if the shop uses no cookies", () => {
    const config = { cors: { origin: () => true }, session: { secret: testSecret } };
    const bearer = { ...config, session: { ...config.session, tokenMethod: "bearer" } };
    expect(codesOf(config)).toContain("SF401");
    expect(codesOf(bearer)).not.toContain("SF401");
  });
});

describe("the rule for a Redis on another host", () => {
  const elsewhere = { host: "redis.example" };
  test.each<[string, object, string[]]>([
    ["by host", elsewhere, ["SF507", "SF508"]],
    ["with options", { ...elsewhere, tls: {}, password: "x" }, []],
    ["as a cluster", { cluster: ["redis://redis.example"] }, ["SF507", "SF508"]],
    [
      "as a cluster with options",
      { cluster: [elsewhere], clusterOptions: { redisOptions: { tls: {}, password: "x" } } },
      [],
    ],
    ["by sentinels", { sentinels: [elsewhere], name: "main", password: "x" }, ["SF507"]],
    ["on this machine", { url: "redis://[::1]:6379" }, []],
    ["by a socket", { url: "/run/redis.sock" }, []],
    ["at an invalid address", { url: "redis://:a b:c" }, []],
  ])("%s", (_, options, codes) => {
    expect(
      codesOf({ storage: { session: { driver: "redis", ...options } } }).filter((code) =>
        /SF50[78]/.test(code),
      ),
    ).toEqual(codes);
  });
});

describe("the rule for two storages with the same data", () => {
  const keyless = { getItem: () => null, hasItem: () => false, getKeys: () => [] };
  test.each<[string, object, object, string]>([
    ["memories", { driver: "memory" }, { driver: "memory" }, "SF501"],
    ["memories that are objects", createMemoryDriver(), createMemoryDriver(), "SF501"],
    ["custom driver objects", { name: "own", ...keyless }, { name: "own", ...keyless }, "SF510"],
  ])("does not report %s", (_, session, basket, code) => {
    const codes = codesOf({ storage: { session, basket } });
    expect(codes.filter((found) => found === code)).toHaveLength(2);
    expect(codes).not.toContain("SF509");
  });
});

describe("isOneOfSeveral", () => {
  test.each([
    [{}, false],
    [{ NODE_APP_INSTANCE: "0" }, false],
    [{ NODE_APP_INSTANCE: "1" }, true],
    [{ WEB_CONCURRENCY: "1" }, false],
    [{ WEB_CONCURRENCY: "4" }, true],
    [{ WEB_CONCURRENCY: "auto" }, false],
  ])("with %j returns %s", (variables, expected) => {
    expect(isOneOfSeveral(variables)).toBe(expected);
  });
});
