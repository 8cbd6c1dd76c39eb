import { setImmediate } from "node:timers/promises";
import type { H3 } from "h3";
import { createSafeLog, describeError, messageOf, type Logger } from "../../shared/log.ts";
import { openStorefront, type OpenStorefront } from "../storefront.ts";
import type { Storefront } from "../storefront-app.ts";
import { describeStart } from "./banner.ts";
import { toPort } from "./arguments.ts";
import { createTypeCheck } from "./type-check.ts";
import { fail, print, printError } from "./output.ts";
import { ConfigError } from "../config/config-error.ts";
import { waitForStep } from "../config/slow-step.ts";
import { StartError } from "../config/start-error.ts";
import type { StorefrontConfig } from "../config/config.ts";
import { openDevelopmentData, type DevelopmentData } from "../config/development-data.ts";
import { keepCallsYoung } from "./heap.ts";
import { createServerApp, endOfTick, type StopReason } from "./http-server.ts";
import { listen, type Running } from "./listen.ts";
import { loadStorefrontConfig, watchStorefrontConfig } from "../config/load.ts";
import { createLog } from "../console-log.ts";
import type { GatherMetrics, Metrics } from "../metrics.ts";
import type { MetricsSnapshot } from "../telemetry.ts";
import { handleProcessErrors } from "./process-errors.ts";

/** The primary process of a worker. */
export interface Supervisor {
  /**
   * Reports that the worker accepts connections.
   * @param description for the operator
   * @param drainSeconds the longest time that a shutdown takes
   */
  ready(description: string, drainSeconds: number): void;
  /** Reports an error that nothing caught, so that another worker starts now. */
  failing(): void;
  /** Calls back when the worker should drain and end. */
  onEnd(end: (reason: StopReason) => void): void;
  /** Resolves when no connection can arrive any more. @param last the last metrics of the worker */
  leave(last: MetricsSnapshot | undefined): Promise<void>;
  /** Gathers the metrics of all workers. */
  readonly gatherMetrics: GatherMetrics;
  /** Calls back when the primary needs the metrics of this worker. */
  onMeasure(measure: () => Promise<MetricsSnapshot>): void;
}

/**
 * Serves a storefront until a signal, or an exception that nothing catches, ends the process.
 * @param options `file` is the config's file. Default: the one in this folder
 * @throws Error with one line for an operator if it does not start
 */
export async function run(options: {
  readonly command: "start" | "dev";
  readonly file: string | undefined;
  readonly port: string | undefined;
  readonly host: string;
  /** Whether `dev` starts without the data of its last run. */
  readonly isFresh?: boolean | undefined;
  /** Only for a worker of several. */
  readonly supervisor?: Supervisor;
}): Promise<void> {
  const { command, host, port, supervisor } = options;
  keepCallsYoung();
  let log = createSafeLog(createLog(isProduction(options.command)));
  /** Runs the start, each reload, and the shutdown one after the other. */
  let last: Promise<Running> | undefined;
  let exitCode: number | undefined;
  let metrics: Metrics | undefined;

  function end(code: number, reason: StopReason): void {
    const isEnding = exitCode !== undefined;
    exitCode = Math.max(code, exitCode ?? 0);
    if (isEnding) return;
    // Without a server, nothing has to drain.
    if (last === undefined) process.exit(exitCode);
    if (supervisor === undefined) {
      log.info("The server shuts down; a second signal ends it immediately");
    }
    last
      .then((running) => running.stop(command === "dev" ? "reload" : reason))
      .then(async () => supervisor?.leave(await metrics?.measure()))
      .then(() => process.exit(exitCode), fail);
  }

  function endAfterError(): void {
    supervisor?.failing();
    end(1, supervisor === undefined ? "shutdown" : "replaced");
  }

  handleProcessErrors(() => log, endAfterError);
  const { file, data, ...prepared } = await prepare(options, log);
  const { storefront } = prepared;
  log = storefront.app.options.log;
  metrics = storefront.metrics;
  if (metrics !== undefined) supervisor?.onMeasure(() => (metrics as Metrics).measure());
  // The `.env` file can set the port, so it is read only now.
  const first = serve(prepared, host, toPort(port)).then((running) => {
    announce(running, data, supervisor);
    return running;
  });
  last = first;
  const checkTypes = command === "dev" ? createTypeCheck(file, printError) : undefined;
  if (command === "dev") {
    watchStorefrontConfig(file, (changed) => {
      last = last?.then(async (running) => {
        const next = await reload(running, { ...options, file }, changed, data);
        if (next !== running) checkTypes?.();
        log = next.app.options.log;
        return next;
      });
    });
  }
  if (supervisor === undefined) endOnSignal();
  else {
    // A service manager can signal all processes, so the primary's message can follow.
    process.on("SIGTERM", () => end(0, "shutdown"));
    supervisor.onEnd((reason) => end(0, reason));
  }
  await first;
  checkTypes?.();

  function endOnSignal(): void {
    // A terminal that closes sends SIGHUP.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        // A second signal means: don't wait.
        if (exitCode !== undefined) process.exit(1);
        end(0, "shutdown");
      });
    }
  }
}

// --- Internal helpers ---

function isProduction(command: "start" | "dev"): boolean {
  return command === "start" && process.env["NODE_ENV"] === "production";
}

/**
 * Loads the config, opens its storages, and runs `server.routes`; nothing listens yet.
 * @param known the development data, if it is open already
 * @returns also the config's file
 */
async function prepare(
  { command, file, supervisor, isFresh }: Parameters<typeof run>[0],
  log: Logger,
  known?: DevelopmentData,
) {
  const isDev = command === "dev";
  const loaded = await loadStorefrontConfig(process.cwd(), file, { isReadAgain: isDev, log });
  const data = isDev ? (known ?? openDevelopmentData(loaded.file, { isFresh, log })) : known;
  let storefront: OpenStorefront | undefined;
  try {
    storefront = openStorefront(loaded.config as StorefrontConfig, {
      production: isProduction(command),
      schedule: endOfTick,
      isWorker: supervisor !== undefined,
      developmentData: data,
      checksResults: isDev,
      gatherMetrics: supervisor?.gatherMetrics,
    });
    const { refusal } = storefront.app.options;
    if (refusal !== undefined) throw refusal;
    await storefront.app.ready();
    const { log: ownLog } = storefront.app.options;
    const routed = createServerApp(storefront);
    const serverApp = await waitForStep("the promise of server.routes (SF906)", ownLog, routed);
    return { storefront, serverApp, file: loaded.file, data };
  } catch (error) {
    await storefront?.app.close();
    if (error instanceof ConfigError || error instanceof StartError) throw error;
    // Another error is a storage's.
    throw new StartError("SF702", messageOf(error), { cause: error });
  }
}

async function serve(
  { storefront, serverApp }: { readonly storefront: OpenStorefront; readonly serverApp: H3 },
  host: string,
  port: number,
): Promise<Running> {
  const { log } = storefront.app.options;
  const listening = listen(storefront, serverApp, host, port);
  // A name needs DNS, which can be down.
  const running = await waitForStep("the address of --host (SF905)", log, listening);
  void warnIfNotReady(storefront.app);
  return running;
}

function announce(running: Running, data?: DevelopmentData, supervisor?: Supervisor): void {
  const { drainDelay, drainTimeout } = running.app.options.server;
  const description = describe(running, data);
  if (supervisor === undefined) print(process.stdout, description);
  else supervisor.ready(description, drainDelay + drainTimeout);
}

function describe({ url, app }: Running, data?: DevelopmentData): string {
  return describeStart(url, app.options, app.stores, data?.folder);
}

/** A failing storage doesn't keep the server from starting, because it can recover at any time. */
async function warnIfNotReady({ checkStorages, options }: Storefront): Promise<void> {
  try {
    await checkStorages();
  } catch (error) {
    const message = "A storage cannot be used; /readyz responds 503 until it can";
    options.log.warn(message, { reason: describeError(error) });
  }
}

/**
 * Serves the changed config, and prints one line. If the shops, storages, or warnings are others, it prints them, too.
 * If the config has errors, it prints them, and the old config stays in effect.
 * @param changed the changed files
 */
async function reload(
  running: Running,
  options: Parameters<typeof run>[0],
  changed: readonly string[],
  data: DevelopmentData | undefined,
): Promise<Running> {
  try {
    const prepared = await prepare(options, running.app.options.log, data);
    // Read the requests first that arrived while the config was compiled.
    await setImmediate();
    // The old server closes its port immediately, and stops when its calls have ended.
    const stopped = running.stop("reload").catch(printError);
    const next = await serve(prepared, options.host, running.port).catch(fail);
    print(process.stdout, `reloaded: ${changed.join(", ")}\n`);
    if (describe(next) !== describe(running)) announce(next, data);
    return {
      ...next,
      async stop(how) {
        await Promise.all([next.stop(how), stopped]);
      },
    };
  } catch (error) {
    printError(error);
    return running;
  }
}
