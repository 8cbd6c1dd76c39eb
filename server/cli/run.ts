import { setImmediate } from "node:timers/promises";
import { createSafeLog, describeError } from "../../shared/log.ts";
import { openStorefront, type OpenStorefront, type Storefront } from "../storefront.ts";
import { describeStart } from "./banner.ts";
import { toPort } from "./arguments.ts";
import { fail, print, printError } from "./output.ts";
import type { StorefrontConfig } from "../config/config.ts";
import { endOfTick, type StopReason } from "./http-server.ts";
import { listen, type Running } from "./listen.ts";
import { loadStorefrontConfig, watchStorefrontConfig } from "../config/load.ts";
import { createLog } from "../console-log.ts";
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
  onEnd(end: (how: { readonly isReplaced: boolean }) => void): void;
  /** Resolves when no connection can arrive any more. */
  leave(): Promise<void>;
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
  /** Only for a worker of several. */
  readonly supervisor?: Supervisor;
}): Promise<void> {
  const { command, host, port, supervisor } = options;
  let log = createSafeLog(createLog());
  /** Runs the start, each reload, and the shutdown one after the other. */
  let last: Promise<Running> | undefined;
  let exitCode: number | undefined;

  function end(code: number, reason: StopReason): void {
    const isEnding = exitCode !== undefined;
    exitCode = Math.max(code, exitCode ?? 0);
    if (isEnding) return;
    // Without a server, there is nothing to drain.
    if (last === undefined) process.exit(exitCode);
    if (supervisor === undefined) {
      log.info("The server shuts down; a second signal ends it immediately");
    }
    last
      .then((running) => running.stop(command === "dev" ? "reload" : reason))
      .then(() => supervisor?.leave())
      .then(() => process.exit(exitCode), fail);
  }

  function endAfterError(): void {
    supervisor?.failing();
    end(1, supervisor === undefined ? "shutdown" : "replaced");
  }

  handleProcessErrors(() => log, endAfterError);
  const { file, storefront } = await prepare(options);
  log = storefront.app.options.log;
  // The `.env` file can set the port, so it is read only now.
  const first = serve(storefront, host, toPort(port), supervisor);
  last = first;
  if (command === "dev") {
    watchStorefrontConfig(file, () => {
      last = last?.then(async (running) => {
        const next = await reload(running, host, file);
        log = next.app.options.log;
        return next;
      });
    });
  }
  if (supervisor === undefined) endOnSignal();
  else {
    // A service manager can signal all processes, so the primary's message can follow.
    process.on("SIGTERM", () => end(0, "shutdown"));
    supervisor.onEnd(({ isReplaced }) => end(0, isReplaced ? "replaced" : "shutdown"));
  }
  await first;

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

/** Loads the config and opens its storages; nothing listens yet. @returns also the config's file */
async function prepare({ command, file, supervisor }: Parameters<typeof run>[0]) {
  const isReadAgain = command === "dev";
  const loaded = await loadStorefrontConfig(process.cwd(), file, { isReadAgain });
  const production = command === "start" && process.env["NODE_ENV"] === "production";
  const storefront = openStorefront(loaded.config as StorefrontConfig, {
    production,
    schedule: endOfTick,
    isWorker: supervisor !== undefined,
  });
  const { refusal } = storefront.app.options;
  if (refusal !== undefined) {
    await storefront.app.close();
    throw refusal;
  }
  try {
    await storefront.app.ready();
  } catch (error) {
    await storefront.app.close();
    throw error;
  }
  return { storefront, file: loaded.file };
}

async function serve(
  storefront: OpenStorefront,
  host: string,
  port: number,
  supervisor?: Supervisor,
): Promise<Running> {
  const running = await listen(storefront, host, port);
  const { app } = storefront;
  const description = describeStart(running.url, app.options, app.stores);
  const { drainDelay, drainTimeout } = app.options.server;
  if (supervisor === undefined) print(process.stdout, description);
  else supervisor.ready(description, drainDelay + drainTimeout);
  void warnIfNotReady(app);
  return running;
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

/** Serves the changed config. If it has errors, it prints them, and the old config stays in effect. */
async function reload(running: Running, host: string, file: string): Promise<Running> {
  try {
    const { storefront } = await prepare({ command: "dev", file, port: undefined, host });
    // Read the requests first that arrived while the config was compiled.
    await setImmediate();
    // The old server closes its port immediately, and stops when its calls have ended.
    const stopped = running.stop("reload").catch(printError);
    const next = await serve(storefront, host, running.port).catch(fail);
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
