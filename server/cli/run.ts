import { setImmediate } from "node:timers/promises";
import { createSafeLog, describeError } from "../../shared/log.ts";
import { openStorefront, type OpenStorefront, type Storefront } from "../storefront.ts";
import { describeStart } from "./banner.ts";
import { toPort } from "./arguments.ts";
import { fail, print, printError } from "./output.ts";
import type { StorefrontConfig } from "../config/config.ts";
import { endOfTick } from "./http-server.ts";
import { listen, type Running } from "./listen.ts";
import { loadStorefrontConfig, watchStorefrontConfig } from "../config/load.ts";
import { createLog } from "../console-log.ts";
import { handleProcessErrors } from "./process-errors.ts";

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
}): Promise<void> {
  let log = createSafeLog(createLog());
  /** Runs the start, each reload, and the shutdown one after the other. */
  let last: Promise<Running> | undefined;
  let exitCode: number | undefined;

  function end(code: number): void {
    const isEnding = exitCode !== undefined;
    exitCode = Math.max(code, exitCode ?? 0);
    if (isEnding) return;
    // Without a server, there is nothing to drain.
    if (last === undefined) process.exit(exitCode);
    const dropsIdle = options.command === "dev";
    log.info("The server shuts down; a second signal ends it immediately");
    last.then((running) => running.stop({ dropsIdle })).then(() => process.exit(exitCode), fail);
  }

  handleProcessErrors(
    () => log,
    () => end(1),
  );
  const { command, host, port } = options;
  const { file, storefront } = await prepare(command, options.file);
  log = storefront.app.options.log;
  // The `.env` file can set the port, so it is read only now.
  const first = serve(storefront, host, toPort(port));
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
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // A second signal means: don't wait.
      if (exitCode !== undefined) process.exit(1);
      end(0);
    });
  }
  await first;
}

// --- Internal helpers ---

/** Loads the config and opens its storages; nothing listens yet. @returns also the config's file */
async function prepare(command: "start" | "dev", file: string | undefined) {
  const isReadAgain = command === "dev";
  const loaded = await loadStorefrontConfig(process.cwd(), file, { isReadAgain });
  const production = command === "start" && process.env["NODE_ENV"] === "production";
  const storefront = openStorefront(loaded.config as StorefrontConfig, {
    production,
    schedule: endOfTick,
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

async function serve(storefront: OpenStorefront, host: string, port: number): Promise<Running> {
  const running = await listen(storefront, host, port);
  const { app } = storefront;
  print(process.stdout, describeStart(running.url, app.options, app.stores));
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
    const { storefront } = await prepare("dev", file);
    // Read the requests first that arrived while the config was compiled.
    await setImmediate();
    // The old server closes its port immediately, and stops when its calls have ended.
    const stopped = running.stop({ dropsIdle: true }).catch(printError);
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
