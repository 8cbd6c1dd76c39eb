import { assertOptions } from "../shared/similar.ts";
import { H3 } from "h3";
import { createAdmin } from "./admin.ts";
import { createCallLog } from "./call-log.ts";
import { openCallTallies } from "./call-tally.ts";
import { createLog } from "./console-log.ts";
import type { StorefrontConfig } from "./config/config.ts";
import { isOneOfSeveral, type Environment } from "./config/environment.ts";
import { resolveConfig } from "./config/resolve.ts";
import { waitForStorage } from "./config/slow-step.ts";
import { Cors } from "./cors.ts";
import { Credentials } from "./credentials/credentials.ts";
import { createForwardedReader } from "./forwarded.ts";
import { createHealth, createReadiness } from "./health.ts";
import { createMetricsRoute, openMetrics, type GatherMetrics } from "./metrics.ts";
import { createProblems } from "./problem.ts";
import { createResponder } from "./responder.ts";
import { createResultCheck } from "./result-check.ts";
import { createBatchHandler } from "./batch.ts";
import { addCallRoutes, addPlainRoutes, createRouteTable } from "./router.ts";
import { pageCalls } from "./page-calls.ts";
import { assertConfigured, createRpcHandler } from "./rpc-handler.ts";
import { openProjectData } from "#development-data";
import { createDevPage } from "#dev-page";
import { createOpenApi } from "./openapi/openapi-route.ts";
import { openServices } from "./services.ts";
import { systemClock, type Clock } from "../storage/clock.ts";
import { systemRandom, type Random } from "../storage/random.ts";
import { createObserver } from "./telemetry.ts";
import type { Intercept } from "../storage/store.ts";
import type { Storefront } from "./storefront-app.ts";
import { misplacedPath } from "./unknown-path.ts";

/** How a process runs a storefront. */
export interface StorefrontSettings {
  /** Whether to reject settings that are for development only. Default: as `NODE_ENV` says. */
  readonly production?: boolean;
  /**
   * The absolute path of your project, in its development server. Sessions, baskets, and accounts of the driver `memory`
   * then survive a reload and a restart, in files below its `node_modules/.cache/storefront`. Production ignores it.
   */
  readonly developmentFolder?: string | undefined;
  /**
   * Delays each call until the promise resolves. `storefront start` waits for the end of the event loop's tick, so
   * that calls that arrived together run as a batch. Default: calls run immediately.
   */
  readonly schedule?: () => Promise<void>;
  /** The time and the timers, for tests. Default: the computer's clock. */
  readonly clock?: Clock;
  /**
   * The random values, for tests. It creates IDs and secrets, so production needs a cryptographic source.
   * Default: the computer's random values.
   */
  readonly random?: Random;
}

/** A storefront, with the parts that `storefront start` uses without h3. */
export type OpenStorefront = ReturnType<typeof openStorefront>;

/**
 * Creates a storefront from its config. If production rejects a storage, each call gets 503, and the error is in
 * `options.refusal`. It isn't thrown, because a bundler must be able to load the module.
 * @throws ConfigError with every other error of the config; TypeError for an unknown setting
 */
export function createStorefront(
  config: StorefrontConfig,
  settings: StorefrontSettings = {},
): Storefront {
  assertOptions("createStorefront", settings, {
    production: true,
    developmentFolder: true,
    schedule: true,
    clock: true,
    random: true,
  });
  return openStorefront(config, settings).app;
}

/** The same as {@link createStorefront}, for `storefront start`. */
export function openStorefront(
  config: StorefrontConfig,
  {
    production = process.env["NODE_ENV"] === "production",
    schedule,
    isWorker = false,
    developmentFolder,
    developmentData,
    clock = systemClock,
    random = systemRandom,
    gatherMetrics,
    intercept,
    checksResults = false,
  }: StorefrontSettings &
    Pick<Environment, "isWorker" | "developmentData"> & {
      readonly intercept?: Intercept;
      /** For development servers and tests: whether to compare the results of built-in methods with their descriptions. */
      readonly checksResults?: boolean;
      readonly gatherMetrics?: GatherMetrics | undefined;
    } = {},
) {
  const defaultLog = createLog(production);
  const keepsData = !production && developmentFolder !== undefined;
  const data = keepsData ? openProjectData(developmentFolder, defaultLog) : developmentData;
  const options = resolveConfig(
    config,
    { production, isOneOfSeveral: isOneOfSeveral(), isWorker, developmentData: data, random },
    defaultLog,
  );
  const { callLog: logged, log, isDefaultLog } = options;
  const tallies = logged && openCallTallies();
  const isJson = isDefaultLog && production;
  const callLog = logged && createCallLog(logged, tallies, isJson ? undefined : log);
  const observer = createObserver([...options.telemetry, ...(callLog ? [callLog] : [])], log);
  const services = openServices(options, { clock, random, observer, intercept });
  const metrics = openMetrics(options.telemetry, gatherMetrics);
  const state = { isDraining: false, isClosed: false };
  // `storefront start` counts the idle connections of proxies that it closes.
  const connectionCounts = { closedIdle: 0 };
  const credentials = new Credentials(options, clock);
  const rules = {
    cors: new Cors(options, credentials, !production),
    credentials,
    readForwarded: createForwardedReader(options),
    random,
    toProblem: createProblems(options, random),
    state,
  };
  const checkResult = checksResults || keepsData ? createResultCheck(options) : undefined;
  const handler = createRpcHandler(options, services, rules, { schedule, checkResult, tallies });
  const { handle } = handler;
  const { methods } = services;
  const respond = createResponder(options, rules);
  const checkStorages = async () => {
    await Promise.all(services.stores.map((store) => store.ping()));
  };
  const findUnavailable = () =>
    services.systems.filter(({ failure }) => failure !== undefined).map(({ name }) => name);
  const checkReadiness = createReadiness(async () => {
    assertConfigured(options);
    await checkStorages();
  }, clock);

  // A path that can't be decoded gets problem+json, too.
  const app = new H3({
    silent: true,
    allowMalformedURL: true,
    onError: ({ status }, { req }) => {
      const error = status === 404 ? misplacedPath(req, options, methods) : undefined;
      return error && respond(req, () => Promise.reject(error));
    },
  });
  const routes = createRouteTable(options, methods);
  const handleBatch = createBatchHandler(options, rules, handler, methods);
  addCallRoutes(app, routes, options, handle, handleBatch);
  addPlainRoutes(
    app,
    [
      ...createHealth(checkReadiness, state, findUnavailable, options),
      ...createAdmin(options, services, connectionCounts),
      ...createOpenApi(options, services, credentials),
      ...createMetricsRoute(options, metrics),
      ...createDevPage({
        options,
        services,
        credentials,
        send: (call) => app.fetch(call),
        server: data,
      }),
    ],
    respond,
    { options, methods },
  );
  const storefront: Storefront = Object.assign(app, {
    [pageCalls]: {
      options,
      credentials,
      random,
      methods,
      handle,
      handleBatch,
      visits: new WeakMap(),
    },
    options,
    stores: services.descriptions,
    async ready() {
      await Promise.all(services.stores.map((store) => waitForStorage(store, log, clock)));
      for (const sweeper of services.sweepers) sweeper.start();
    },
    checkStorages,
    drain() {
      state.isDraining = true;
    },
    async close() {
      state.isDraining = true;
      state.isClosed = true;
      handler.deadlines.stop();
      services.caches.close();
      for (const system of services.systems) system.close();
      await services.background.settle();
      await Promise.all(services.sweepers.map((sweeper) => sweeper.close()));
      await Promise.all(services.stores.map((store) => store.close()));
      callLog?.close();
    },
  });
  return { app: storefront, routes, handle, respond, metrics, connectionCounts };
}
