import { assertOptions } from "../../shared/similar.ts";
import { findMethod } from "../../rpc/dispatch.ts";
import type { BuiltinMethods } from "../../rpc/methods/builtin.ts";
import type { RpcMethods } from "../../rpc/method.ts";
import type { StorefrontConfig } from "../config/config.ts";
import { openStorefront } from "../storefront.ts";
import type { Storefront } from "../storefront-app.ts";
import { systemRandom, type Random } from "../../storage/random.ts";
import { pageCalls } from "../page-calls.ts";
import { KnownSecrets } from "./known-secrets.ts";
import { createStorageFaults, type StorageFaults } from "./storage-faults.ts";
import { createTestClock, type TestClock } from "./test-clock.ts";
import { createTestLog, type LogLine } from "./test-log.ts";
import { TestVisitor, type Visitor } from "./test-visitor.ts";

/** A storefront for tests, with the built-in methods and those of its config. */
export interface TestStorefront<Own extends RpcMethods = Record<never, never>> {
  readonly app: Storefront;
  readonly clock: TestClock;
  /** The faults of its storages. */
  readonly storage: StorageFaults;
  /** Its log lines so far. */
  readonly lines: readonly LogLine[];
  /** Creates a visitor without cookies. */
  visitor(options?: VisitorOptions): Visitor<WithBuiltins<Own>>;
  /**
   * Looks for the secrets that its visitors have sent and received: cookies, session IDs, bearer tokens, passwords, and
   * other secrets of payloads.
   * @param logs any text or value, for example `lines`
   * @throws AssertionError
   */
  expectNoSecretIn(logs: unknown): void;
  /** Ends its timers, and closes its storages. Call it at the end of each test. */
  close(): Promise<void>;
}

/** Methods of a config, and the built-in methods that they don't replace. */
export type WithBuiltins<Own extends RpcMethods> = Own & Omit<BuiltinMethods, keyof Own>;

/** Options of a visitor. */
export interface VisitorOptions {
  /** Default: the first shop. */
  readonly shopId?: number | undefined;
  /** The IP address. @default "127.0.0.1" */
  readonly ip?: string | undefined;
}

/**
 * Creates a storefront from its config, for tests with any test runner. It runs in development mode, logs to `lines`, and
 * has a clock that doesn't run by itself.
 * @param options `clock`: for several storefronts with one clock, or with clocks that differ. `random`: for IDs that a
 * test expects, from `createTestRandom`. Default: the computer's random values.
 * @throws ConfigError; TypeError for a misspelled option
 */
export async function createTestStorefront<Own extends RpcMethods = Record<never, never>>(
  config: StorefrontConfig<Own>,
  options: { readonly clock?: TestClock; readonly random?: Random } = {},
): Promise<TestStorefront<Own>> {
  assertOptions("createTestStorefront", options, { clock: true, random: true });
  const { clock = createTestClock(), random = systemRandom } = options;
  const { log, lines } = createTestLog();
  const { faults, intercept } = createStorageFaults(clock);
  const { app } = openStorefront({ ...config, log } as StorefrontConfig, {
    production: false,
    clock,
    random,
    intercept,
    checksResults: true,
  });
  await app.ready();
  const secrets = new KnownSecrets();
  const { shops, basePath } = app.options;
  return {
    app,
    clock,
    storage: faults,
    lines,
    visitor(ofVisitor = {}) {
      assertOptions("visitor", ofVisitor, { shopId: true, ip: true });
      const { shopId = shops[0]?.shopId ?? 0, ip = "127.0.0.1" } = ofVisitor;
      const shop = shops.find((one) => one.shopId === shopId);
      if (shop === undefined) {
        const ids = shops.map((one) => one.shopId).join(", ");
        throw new TypeError(`The config has no shop ${JSON.stringify(shopId)}, only ${ids}`);
      }
      const visitor = new TestVisitor({
        shopId,
        path: `${basePath}/rpc/`,
        transports: app[pageCalls].credentials.explicitIn(shop),
        secrets,
        findMethod: (name) => findMethod(app[pageCalls].methods, name),
        send: async (path, init) =>
          app.fetch(Object.assign(new Request(`http://localhost${path}`, init), { ip })),
      });
      return visitor as unknown as Visitor<WithBuiltins<Own>>;
    },
    expectNoSecretIn: (logs) => secrets.expectNoneIn(logs),
    close: () => app.close(),
  };
}
