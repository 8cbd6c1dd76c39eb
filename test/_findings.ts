import createKvDriver from "unstorage/drivers/cloudflare-kv-http";
import createFileDriver from "unstorage/drivers/fs";
import { testSecret } from "./_setup.ts";
import { shopFindings, type FindingCase } from "./_shop-findings.ts";
import { workerFindings } from "./_worker-findings.ts";

const shop = { shopId: 1001, locale: "de-DE", currency: "EUR" };
const second = { shopId: 1002, locale: "en-US", currency: "USD" };
const another = "another-phrase-of-many-characters-0815";
const key = "one-more-phrase-of-many-characters-4711";
const kv = createKvDriver({ accountId: "a", namespaceId: "n", apiToken: "t" });
const unreadableMetrics = {
  port: undefined,
  host: undefined,
  contentType: "text/plain",
  measure: async () => [],
  format: async () => "",
};
const days = (count: number) => count * 86_400;

/** A config without findings at startup. */
export const sound = {
  shops: [shop],
  session: { secret: testSecret },
  storage: { session: { driver: "redis", url: "redis://localhost" } },
};

function session(settings: object): object {
  return { session: { secret: testSecret, ...settings } };
}

function origins(...origin: unknown[]): object {
  return { cors: { origin } };
}

function sessionsIn(driver: object): object {
  return { storage: { session: driver } };
}

/** A case for each finding that depends on the config alone. */
export const findingCases: Readonly<Record<string, FindingCase>> = {
  SF001: { bad: { basePath: "api" }, good: { basePath: "/api" }, path: "basePath" },
  ...shopFindings,
  SF101: { bad: { session: {} }, good: {}, path: "session.secret" },
  SF102: {
    bad: { session: { secret: [testSecret, "short"] } },
    good: { session: { secret: [testSecret, another] } },
    path: "session.secret[1]",
  },
  SF103: {
    bad: { session: { secret: "x".repeat(32) } },
    good: { session: { secret: another } },
    path: "session.secret",
  },
  SF104: {
    bad: { shops: [shop, { ...second, realm: "b2b" }] },
    good: { shops: [shop, { ...second, realm: "b2b", session: { secret: another } }] },
    path: "session.secret",
  },
  SF105: {
    bad: { admin: { token: [key, testSecret] } },
    good: { admin: { token: [key, another] } },
    path: "admin.token[1]",
  },
  SF106: {
    bad: session({ encryptionKeys: testSecret }),
    good: session({ encryptionKeys: another }),
    path: "session.encryptionKeys",
  },
  SF201: {
    bad: { ...session({ sameSite: "none", secure: false }), ...origins("https://a.example") },
    good: { ...session({ sameSite: "none", secure: true }), ...origins("https://a.example") },
    path: "session.secure",
  },
  SF202: {
    bad: session({ cookieName: "__Host-sid", domain: "shop.example" }),
    good: session({ cookieName: "__Secure-sid", domain: "shop.example" }),
    path: "session.domain",
  },
  SF203: { bad: session({ secure: false }), good: session({}), path: "session.secure" },
  SF204: {
    bad: { shops: [{ ...shop, host: "shop.example:8443" }], ...session({ domain: "a.example" }) },
    good: { shops: [{ ...shop, host: "w.a.example:8443" }], ...session({ domain: ".a.example" }) },
    path: "session.domain",
  },
  SF205: {
    bad: session({ domain: "co.uk" }),
    good: session({ domain: "shop.co.uk" }),
    path: "session.domain",
  },
  SF206: {
    bad: {
      shops: [
        { ...shop, host: "de.shop.example", session: { domain: "shop.example" } },
        { ...second, host: "us.shop.example" },
      ],
    },
    good: {
      shops: [
        { ...shop, host: "de.shop.example", session: { domain: "de.shop.example" } },
        { ...second, host: "us.shop.example" },
      ],
    },
    path: "shops[0].session.domain",
  },
  SF207: {
    bad: session({ sameSite: "none" }),
    good: { ...session({ sameSite: "none" }), ...origins("https://a.example") },
    path: "session.sameSite",
  },
  SF208: {
    bad: { shops: [{ ...shop, host: "api.example" }], ...origins("https://shop.example") },
    good: { shops: [{ ...shop, host: "api.shop.example" }], ...origins("https://shop.example") },
    path: "session.sameSite",
  },
  SF209: {
    bad: session({ tokenMethod: ["cookie", "bearer"] }),
    good: session({ tokenMethod: ["bearer"] }),
    path: "session.tokenMethod",
  },
  SF301: {
    bad: session({ idleTimeout: days(2) }),
    good: session({ idleTimeout: days(1) }),
    path: "session.idleTimeout",
  },
  SF302: {
    bad: session({ guestIdleTimeout: 7200, guestAbsoluteTimeout: 3600 }),
    good: session({ guestIdleTimeout: 3600, guestAbsoluteTimeout: 7200 }),
    path: "session.guestIdleTimeout",
  },
  SF303: {
    bad: session({ maxAge: days(2), absoluteTimeout: days(1) }),
    good: session({ maxAge: days(1), absoluteTimeout: days(2) }),
    path: "session.maxAge",
  },
  SF304: {
    bad: session({ renewAfter: days(30) }),
    good: session({ renewAfter: days(1) }),
    path: "session.renewAfter",
  },
  SF305: {
    bad: session({ maxAge: days(60) }),
    good: session({ maxAge: days(60), idleTimeout: days(30) }),
    path: "session.maxAge",
  },
  SF401: {
    bad: origins(/https?:\/\/.*/),
    good: { cors: { origin: [/https?:\/\/.*/], credentials: false } },
    path: "cors.origin[0]",
  },
  SF402: {
    bad: origins("https://a.example", /https:\/\/.*shop\.example/),
    good: origins("https://a.example", /https:\/\/.*\.shop\.example/),
    path: "cors.origin[1]",
  },
  SF403: {
    bad: origins("http://shop.example"),
    good: origins("https://shop.example"),
    path: "cors.origin[0]",
  },
  SF404: {
    bad: origins("http://localhost:5173"),
    good: origins(/capacitor:\/\/localhost/),
    path: "cors.origin[0]",
  },
  SF405: {
    bad: { shops: [{ ...shop, host: ["shop.example", "*.co.uk"] }] },
    good: { shops: [{ ...shop, host: ["shop.example", "*.shop.example"] }] },
    path: "shops[0].host",
  },
  SF501: {
    bad: { storage: {} },
    good: {},
    path: "storage.session",
  },
  SF502: {
    bad: sessionsIn({ driver: "fs", base: "./data" }),
    good: {},
    path: "storage.session",
    environment: { production: true, isOneOfSeveral: true },
  },
  SF503: {
    bad: { storage: { session: { driver: "fs", base: "./data" }, singleProcess: true } },
    good: {},
    path: "storage.session",
  },
  SF504: { bad: sessionsIn({ driver: "lruCache" }), good: {}, path: "storage.session" },
  SF505: {
    bad: sessionsIn({ driver: "redis", ttl: 60 }),
    good: sessionsIn({ driver: "redis" }),
    path: "storage.session.ttl",
  },
  SF506: {
    bad: sessionsIn(kv),
    good: sessionsIn({ driver: "fs" }),
    path: "storage.session",
  },
  SF507: {
    bad: sessionsIn({ driver: "redis", url: "redis://:pass@redis.example" }),
    good: sessionsIn({ driver: "redis", url: "rediss://:pass@redis.example" }),
    path: "storage.session",
  },
  SF508: {
    bad: sessionsIn({ driver: "redis", url: "rediss://redis.example" }),
    good: sessionsIn({ driver: "redis", url: "rediss://redis.example", password: "pass" }),
    path: "storage.session",
  },
  SF509: {
    bad: { storage: { session: { driver: "fs", base: "a" }, basket: { driver: "fs", base: "a" } } },
    good: {
      storage: { session: { driver: "fs", base: "a" }, basket: { driver: "fs", base: "b" } },
    },
    path: "storage.basket",
  },
  SF510: {
    bad: sessionsIn({ driver: "fs", base: "./data" }),
    good: { storage: { session: { driver: "fs", base: "./data" }, singleProcess: true } },
    path: "storage.session",
  },
  SF511: {
    bad: { storage: { session: kv, singleProcess: true } },
    good: { storage: { session: kv, lossy: true } },
    path: "storage.session",
  },
  SF512: {
    bad: { storage: { account: { driver: "lruCache" } } },
    good: { storage: { session: { driver: "lruCache" }, account: { driver: "fs", base: "a" } } },
    path: "storage.account",
  },
  SF513: {
    bad: sessionsIn({ driver: "memory" }),
    good: { storage: { session: { driver: "memory" }, account: { driver: "fs", base: "a" } } },
    path: "storage.account",
  },
  SF514: {
    bad: sessionsIn(createFileDriver({ base: "./data" })),
    good: sessionsIn({ driver: "fs", base: "./data" }),
    path: "storage.session",
  },
  SF601: { bad: { trustProxy: true }, good: { trustProxy: ["10.0.0.1"] }, path: "trustProxy" },
  SF602: { bad: {}, good: session({ secure: true }), path: "trustProxy" },
  SF603: { bad: { loginAttempts: false }, good: { loginAttempts: {} }, path: "loginAttempts" },
  SF604: {
    bad: { maxBodySize: 1_000_001 },
    good: { maxBodySize: 1_000_000 },
    path: "maxBodySize",
  },
  SF605: { bad: { callTimeout: 61 }, good: { callTimeout: 60 }, path: "callTimeout" },
  SF606: { bad: {}, good: { admin: { token: key } }, path: "admin.token" },
  SF607: {
    bad: { server: { keepAliveTimeout: 60 } },
    good: { server: { keepAliveTimeout: 61 } },
    path: "server.keepAliveTimeout",
  },
  SF608: {
    bad: { server: { drainDelay: 21 } },
    good: { server: { drainDelay: 20 } },
    path: "server.drainDelay",
  },
  SF609: {
    bad: { server: { headersTimeout: 121 } },
    good: { server: { headersTimeout: 121, requestTimeout: 121 } },
    path: "server.headersTimeout",
  },
  SF610: { bad: {}, good: { clientAddress: () => "203.0.113.7" }, path: "clientAddress" },
  SF611: {
    bad: { telemetry: [{ name: "metrics", metrics: unreadableMetrics }] },
    good: { telemetry: [{ name: "metrics", metrics: { ...unreadableMetrics, port: 9464 } }] },
    path: "telemetry",
  },
  SF612: { bad: { devPage: { token: key } }, good: {}, path: "devPage.token" },
  ...workerFindings,
};
/** The codes of findings that need a storage; doctor.test.ts tests them. */
export const storageCodes = ["SF701", "SF702", "SF703", "SF704", "SF705", "SF706", "SF707"];
