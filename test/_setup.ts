import { randomUUID } from "node:crypto";
import { afterEach, describe, expect } from "vitest";
import { openStorefront, type StorefrontSettings } from "../server/storefront.ts";
import type { Storefront } from "../server/storefront-app.ts";
import { endOfTick } from "../server/cli/http-server.ts";
import type { StorefrontConfig } from "../server/config/config.ts";
import type { StorageConfig } from "../storage/documents/driver.ts";
import type { SessionSettings } from "../storage/sessions/session.ts";
import { describeWithPeers } from "./_adapters.ts";
import { servers, isOwnServer, type ServerKind } from "./_servers.ts";
import type { Logger } from "../shared/log.ts";
import { createStorageFaults, type StorageFaults } from "../server/testing/storage-faults.ts";
import { createTestClock, type TestClock } from "../server/testing/test-clock.ts";
import { createTestLog, type LogLine } from "../server/testing/test-log.ts";
import { describeWithRedis, useRedis } from "./_redis.ts";
import { CookieClient, type Send } from "./_cookie-client.ts";

/** A secret that is long enough for production. */
export const testSecret = "a-secret-for-tests-only-of-more-than-32-characters";

/** Settings for tests of sessions without a server; durations are seconds. */
export const testSessionSettings: SessionSettings = {
  idleTimeout: 60,
  absoluteTimeout: 600,
  guestIdleTimeout: 60,
  guestAbsoluteTimeout: undefined,
  renewAfter: 120,
  freshFor: 30,
  maxSessionsPerUser: 50,
  sessionLimitPolicy: "endOldest",
};

/** A storefront under test. */
export interface TestStorefront {
  readonly app: Storefront;
  /** Its log lines. An error line fails the test, except after `allowErrors`. */
  readonly lines: LogLine[];
  readonly send: Send;
  client(shopId?: number): CookieClient;
}

/** A storefront whose time and storages a test controls. */
export interface ControlledStorefront extends TestStorefront {
  readonly clock: TestClock;
  /** The faults of its storages. */
  readonly storage: StorageFaults;
}

/** The tools of a test: a storage, and storefronts on it. */
export interface Setup {
  readonly driver: "memory" | "redis";
  readonly server: ServerKind;
  /** A new storage; storefronts with the same object share it. */
  storage(): StorageConfig;
  /** Starts a storefront with two shops, changed by `config`, until the test ends. Default: the computer's clock. */
  start(
    config?: Partial<StorefrontConfig>,
    settings?: Pick<StorefrontSettings, "clock" | "random">,
  ): Promise<TestStorefront>;
  /** The same with a stopped clock, and with faults of its storages, as in `storefront-core/testing`. */
  startControlled(
    config?: Partial<StorefrontConfig>,
    clock?: TestClock,
  ): Promise<ControlledStorefront>;
  /** Lets the storefronts of this test log errors. */
  allowErrors(): void;
}

/** The default config of tests: two shops of one realm. */
export function testConfig(config: Partial<StorefrontConfig> = {}): StorefrontConfig {
  return {
    shopSelector: "path",
    shops: [
      { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de" },
      { shopId: 1002, locale: "en-US", currency: "USD", path: "us" },
    ],
    ...config,
    session: { secret: testSecret, ...config.session },
  };
}

/** Production settings for a storefront in memory: one process, and an `auth` of its own. */
export const forProduction: Partial<StorefrontConfig> = {
  storage: { singleProcess: true },
  auth: { login: refuse, register: refuse, changePassword: refuse },
};

/** Runs the same tests in memory and on Redis, and with the routes of `storefront start`, with and without a socket. */
export function describeStorages(name: string, tests: (setup: Setup) => void): void {
  for (const server of ["request", "server"] as const) {
    describe(`${name} · memory · ${server}`, () => {
      tests(createSetup("memory", server, () => ({ driver: "memory" })));
    });
  }
  // The tests above cover the socket.
  describeWithRedis(`${name} · redis · request`, () => {
    const redis = useRedis();
    const storage = () => ({ driver: "redis", url: redis().url, base: randomUUID() });
    tests(createSetup("redis", "request", storage));
  });
}

/** Runs the same tests with each driver and each kind of server. */
export function describeServers(name: string, tests: (setup: Setup) => void): void {
  describeStorages(name, tests);
  describeOtherServers(name, tests);
}

/** Creates the tools for tests that need only one driver. */
export function createSetup(
  driver: Setup["driver"],
  server: Setup["server"],
  storage: () => StorageConfig,
): Setup {
  const endings: (() => Promise<unknown>)[] = [];
  const logs: LogLine[][] = [];
  let errorsAllowed = false;

  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end();
    const errors = logs
      .splice(0)
      .flatMap((lines) => lines.filter(({ level }) => level === "error"));
    if (!errorsAllowed) expect(errors).toEqual([]);
    errorsAllowed = false;
  });

  async function start(
    config: Partial<StorefrontConfig> = {},
    settings: Parameters<typeof openStorefront>[1] = {},
  ): Promise<TestStorefront> {
    const { log, lines } = createTestLog();
    logs.push(lines);
    const storefront = openStorefront(
      testConfig({
        log: withoutHostWarning(log),
        ...config,
        storage: { session: storage(), ...config.storage },
      }),
      {
        production: false,
        checksResults: true,
        ...settings,
        ...(isOwnServer(server) && { schedule: endOfTick }),
      },
    );
    const { app } = storefront;
    endings.push(() => app.close());
    await app.ready();
    const send = await servers[server](storefront, endings);
    return { app, lines, send, client: (shopId) => new CookieClient(send, shopId) };
  }

  return {
    driver,
    server,
    storage,
    start: (config, settings) => start(config, settings),
    async startControlled(config, clock = createTestClock()) {
      const { faults, intercept } = createStorageFaults(clock);
      return { ...(await start(config, { clock, intercept })), clock, storage: faults };
    },
    allowErrors: () => void (errorsAllowed = true),
  };
}

/** Drops the warning about the missing IP address: requests of tests have none without a socket. */
function withoutHostWarning(log: Logger): Logger {
  return {
    ...log,
    warn(message, details) {
      if (!message.includes("gives no IP address of clients")) log.warn(message, details);
    },
  };
}

// --- Internal helpers ---

function refuse(): Promise<never> {
  return Promise.reject(new Error("Not in this test"));
}

/** Runs the same tests with each other server: alone, mounted in other apps, and in Express. */
function describeOtherServers(name: string, tests: (setup: Setup) => void): void {
  for (const server of Object.keys(servers) as ServerKind[]) {
    if (server === "request" || server === "server") continue;
    const describeServer = server === "Express" ? describeWithPeers : describe;
    describeServer(`${name} · ${server}`, () => {
      tests(createSetup("memory", server, () => ({ driver: "memory" })));
    });
  }
}
