import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { ConfigError } from "../../../server/config/config-error.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { badValues } from "../../_bad-config.ts";
import { testProperty } from "../../_fuzz.ts";
import { hostileText, jsonText } from "../../_hostile.ts";
import { testSecret } from "../../_setup.ts";

/** Secrets in the forms in which operators paste them: some look like a host name, a path, or a cookie's name. */
const secretTexts = fc.oneof(
  fc.constantFrom("0123456789abcdef".repeat(4), "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0Cg"),
  fc.constantFrom("__Host-0123456789abcdef0123456789abcdef", "SECRET_0123456789_SECRET_0123456789"),
  fc.stringMatching(/^[a-z0-9]{32,64}$/),
  fc.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
  fc.constant("redis://user:hunter2hunter2@redis.internal:6379/0"),
);

const good: readonly unknown[] = [
  { shops: [createShop(1001, {})], session: { secret: testSecret } },
  {
    shops: [
      createShop(1001, { path: "de", isDefault: true }),
      createShop(1002, { path: "us", host: "us.example", realm: "us", session: { maxAge: 60 } }),
    ],
    shopSelector: "path",
    basePath: "/api",
    session: { secret: [testSecret, testSecret], cookieName: "$session", sameSite: "lax" },
    storage: {
      session: { driver: "memory" },
      basket: { driver: "redis", url: "redis://localhost" },
    },
    cors: { origin: ["https://shop.example", /^https:\/\/.*\.shop\.example$/], maxAge: 60 },
    basket: { maxItems: 3 },
    admin: { token: testSecret },
    loginAttempts: { perAccount: 3 },
    trustProxy: ["10.0.0.1"],
    server: { keepAliveTimeout: 61, drainDelay: 0 },
  },
];

const places = [
  ...Object.keys(badValues).map((path) => path.split(/[.[\]]+/)),
  ...["host", "path", "realm", "locale", "currency"].map((key) => ["shops", "1", key]),
  ["shops", "1"],
  ["session", "secret", "0"],
  ["cors", "origin", "0"],
  ["__proto__"],
  ["shops", "0", "__proto__"],
  ["session", "constructor"],
  ["storage", "basket", "password"],
  [],
];

const value = fc.oneof(
  { weight: 3, arbitrary: secretTexts },
  { weight: 3, arbitrary: fc.constantFrom(...Object.values(badValues).flatMap(([bad]) => bad)) },
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
  jsonText.map((text): unknown => JSON.parse(text)),
  hostileText,
);
/** Paths at which equal values conflict, or that refer to each other. */
const related = [
  ["shops", "0", "host"],
  ["shops", "1", "host"],
  ["shops", "0", "path"],
  ["shops", "1", "path"],
  ["session", "cookieName"],
  ["session", "domain"],
  ["shops", "0", "session", "domain"],
];
/** Values that a path rejects. */
const refused = Object.entries(badValues).flatMap(([path, [values]]) => {
  return values.map((bad) => [[path.split(/[.[\]]+/)], bad] as const);
});

const change = fc.oneof(
  fc.constantFrom(...refused),
  fc.tuple(fc.array(fc.constantFrom(...places), { minLength: 1, maxLength: 2 }), value),
  fc.tuple(fc.subarray(related, { minLength: 2, maxLength: 4 }), secretTexts),
  fc.tuple(
    fc.constant([["basePath"]]),
    secretTexts.map((text) => `/${text}`),
  ),
);
const mode = fc.record({ production: fc.boolean() });

describe("a config", () => {
  const changed = fc
    .tuple(fc.constantFrom(...good), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([config, changes]) =>
      changes.reduce(
        (rest, [at, to]) => at.reduce((inner, place) => withValue(inner, place, to), rest),
        config,
      ),
    );

  testProperty(
    "with invalid values is accepted, or rejected with its errors",
    500,
    fc.tuple(changed, mode),
    resolve,
  );

  const any = fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }),
    jsonText.map((text): unknown => JSON.parse(text)),
    fc.array(value, { maxLength: 3 }).map((shops) => ({ shops })),
  );

  testProperty(
    "with random values works, or fails with its errors",
    300,
    fc.tuple(any, mode),
    resolve,
  );
});

// --- Internal helpers ---

function createShop(shopId: number, rest: object): object {
  return { shopId, locale: "de-DE", currency: "EUR", ...rest };
}

function resolve([config, { production }]: readonly [
  unknown,
  { readonly production: boolean },
]): void {
  const secrets = findSecrets(config);
  try {
    const { shops, warnings } = resolveConfig(config, { production });
    expect(shops.length).toBeGreaterThan(0);
    for (const { session } of shops) {
      expect(session.secrets.length).toBeGreaterThan(0);
      for (const secret of session.secrets) {
        expect(secret.length).toBeGreaterThanOrEqual(production ? 32 : 1);
      }
    }
    for (const secret of secrets) expect(warnings.join("\n")).not.toContain(secret);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { faults, message } = error;
    expect(faults.length).toBeGreaterThan(0);
    for (const { path, found, expected } of faults) {
      expect([path, found, expected].every((text) => typeof text === "string" && text !== "")).toBe(
        true,
      );
      expect(message).toContain(path);
    }
    for (const secret of secrets) expect(message).not.toContain(secret);
  }
}

/** All texts in it that are as long as a secret, and not one character all over, as some of the keys. */
function findSecrets(place: unknown, seen = new Set<unknown>()): string[] {
  if (typeof place === "string") return /^(?!(.)\1*$)[\w+/=:@.-]{32,}$/.test(place) ? [place] : [];
  if (typeof place !== "object" || place === null || seen.has(place)) return [];
  seen.add(place);
  return Object.values(place).flatMap((inner) => findSecrets(inner, seen));
}

/** A copy with another value at a path; own keys only, `__proto__` too. */
function withValue(config: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  const isList = Array.isArray(config);
  const members = typeof config === "object" && config !== null ? Object.entries(config) : [];
  const inner = members.find(([name]) => name === key)?.[1] as unknown;
  const others = members.filter(([name]) => name !== key);
  const changed = Object.fromEntries([...others, [key, withValue(inner, rest, to)]]);
  return isList ? Object.assign([...(config as unknown[])], changed) : changed;
}
