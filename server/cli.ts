#!/usr/bin/env node
import { readFile } from "node:fs/promises";
import type { Server as HttpServer } from "node:http";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { serve } from "h3";
import { createStorefront, type Storefront } from "./app.ts";
import { describeStart } from "./banner.ts";
import type { StorefrontConfig } from "./config.ts";
import { describeDiagnosis, diagnose } from "./doctor.ts";
import { assertNoErrors, examineConfig } from "./examine.ts";
import { explainShop } from "./explain.ts";
import { nodeHeaderCount, nodeHeaderSize } from "./headers.ts";
import { loadStorefrontConfig, watchStorefrontConfig } from "./load.ts";

const usage = `Usage: storefront <command> [options]

Commands
  start          serves the storefront; with NODE_ENV=production it refuses what is fit for
                 development only
  dev            serves it for development, and anew whenever the config's file, a TypeScript
                 module that it imports, or its .env file changes
  doctor         says what is wrong with the config and its storages for production, and what
                 is not wise; ends with code 1 where there are errors
  explain        says what holds for the shop of --shop, and where each value comes from

Options
  --config FILE  the config (default: storefront.config.ts in this folder); a .env file beside
                 it adds to the environment
  --shop ID      the shop that explain is about
  --port N       the port (default: the variable PORT, or 3000; 0 takes any free one)
  --host H       the address to listen on (default: 127.0.0.1; 0.0.0.0 for all)
  --help         this text
  --version      the version
`;

try {
  await main(process.argv.slice(2));
} catch (error) {
  tell(error);
  process.exit(1);
}

// --- Internal helpers ---

interface RunOptions {
  readonly command: "start" | "dev";
  readonly file: string | undefined;
  readonly port: string | undefined;
  readonly host: string;
}

interface Prepared {
  readonly app: Storefront;
  /** The config's. */
  readonly file: string;
}

interface Running {
  readonly port: number;
  /** Takes no more calls, and waits for those in flight. */
  stop(): Promise<void>;
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args);
  if (values.help) return void process.stdout.write(usage);
  if (values.version) return void process.stdout.write(`${await readVersion()}\n`);
  const [command, ...rest] = positionals;
  if (command === undefined) throw new Error(`a command is missing\n\n${usage}`);
  const { config: file, port, host = "127.0.0.1", shop } = values;
  if (command === "doctor" && rest.length === 0) return diagnoseConfig(file);
  if (command === "explain" && rest.length === 0) return explainConfig(file, shop);
  if ((command !== "start" && command !== "dev") || rest.length > 0) {
    throw new Error(`"${positionals.join(" ")}" is no command\n\n${usage}`);
  }
  toPort(port);
  await run({ command, file, port, host });
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: "string" },
        port: { type: "string" },
        host: { type: "string" },
        shop: { type: "string" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
      },
    });
  } catch (error) {
    // What follows is for those who have a file called `--x`.
    const message = error instanceof Error ? error.message.split(". To specify")[0] : String(error);
    throw new Error(`${message}\nSee storefront --help`, { cause: error });
  }
}

async function diagnoseConfig(file: string | undefined): Promise<void> {
  const loaded = await loadStorefrontConfig(process.cwd(), file, { isReadAgain: false });
  const findings = await diagnose(loaded.config);
  const isRefused = findings.some(({ severity }) => severity === "error");
  end(describeDiagnosis(findings, loaded.file), isRefused ? 1 : 0);
}

async function explainConfig(file: string | undefined, shop: string | undefined): Promise<void> {
  if (shop === undefined) throw new Error("explain needs a shop, as --shop 1001");
  const { config } = await loadStorefrontConfig(process.cwd(), file, { isReadAgain: false });
  const production = process.env["NODE_ENV"] === "production";
  const { findings, settings } = examineConfig(config, { production });
  assertNoErrors(findings);
  end(explainShop(settings, shop, { production }), 0);
}

/** Prints, and ends; a config may have opened what would keep the process. */
function end(text: string, code: number): void {
  process.stdout.write(text, () => process.exit(code));
}

async function run(options: RunOptions): Promise<void> {
  const { app, file } = await prepare(options);
  // Only now is the port looked at, for the `.env` file may set it.
  const first = listen(app, options.host, toPort(options.port));
  // One after the other: the start, a reload, the next, and the end.
  let last = first;
  if (options.command === "dev") {
    watchStorefrontConfig(file, () => {
      last = last.then((running) => reload(running, { ...options, file }));
    });
  }
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // Who asks a second time does not want to wait for calls in flight.
      if (isStopping) process.exit(1);
      isStopping = true;
      last.then((running) => running.stop()).then(() => process.exit(0), fail);
    });
  }
  await first;
}

/** Loads the config and opens its storages; nothing listens yet. */
async function prepare({ command, file }: RunOptions): Promise<Prepared> {
  const isReadAgain = command === "dev";
  const loaded = await loadStorefrontConfig(process.cwd(), file, { isReadAgain });
  const production = command === "start" && process.env["NODE_ENV"] === "production";
  return {
    app: createStorefront(loaded.config as StorefrontConfig, { production }),
    file: loaded.file,
  };
}

async function listen(app: Storefront, host: string, port: number): Promise<Running> {
  const server = serve(app, {
    port,
    hostname: host,
    manual: true,
    silent: true,
    gracefulShutdown: false,
    node: { maxHeaderSize: nodeHeaderSize },
  });
  const node = server.node?.server as HttpServer;
  node.maxHeadersCount = nodeHeaderCount;
  try {
    await server.serve();
    await server.ready();
  } catch (error) {
    await app.close();
    throw toListenError(error, host, port);
  }
  const url = new URL(server.url as string);
  process.stdout.write(describeStart({ url: url.href, options: app.options, stores: app.stores }));
  return {
    port: Number(url.port) || 80,
    async stop() {
      await closeServer(server);
      await app.close();
    },
  };
}

/** Takes no more connections, and no more calls on those that are open, and waits for the rest. */
async function closeServer(server: ReturnType<typeof serve>): Promise<void> {
  // Node goes on serving connections that are kept alive, for as long as calls come on them.
  const node = server.node?.server as HttpServer;
  node.prependListener("request", (_, response) => {
    response.shouldKeepAlive = false;
  });
  const timer = setInterval(() => node.closeIdleConnections(), 20);
  try {
    await server.close();
  } finally {
    clearInterval(timer);
  }
}

/** Serves the changed config; the faults of one that has some are told, and the old one goes on. */
async function reload(running: Running, options: RunOptions): Promise<Running> {
  try {
    const { app } = await prepare(options);
    // Calls that came while the config was compiled have not been seen yet.
    await setImmediate();
    // It lets go of the port at once, and ends by itself when its calls have.
    running.stop().catch(tell);
    return await listen(app, options.host, running.port).catch(fail);
  } catch (error) {
    tell(error);
    return running;
  }
}

function toPort(given: string | undefined): number {
  const variable = process.env["PORT"];
  const text = given ?? (variable || "3000");
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    const name = given === undefined ? "the variable PORT" : "--port";
    throw new Error(`${name}: found ${JSON.stringify(text)}, expected a number from 0 to 65535`);
  }
  return port;
}

function toListenError(error: unknown, host: string, port: number): unknown {
  const noAddress = `--host: ${JSON.stringify(host)} is no address of this machine`;
  const messages: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is in use already; another can be chosen with --port`,
    EACCES: `port ${port} may not be used by this user; another can be chosen with --port`,
    EADDRNOTAVAIL: noAddress,
    EAFNOSUPPORT: noAddress,
    EAI_AGAIN: noAddress,
    ENOTFOUND: noAddress,
  };
  const message = messages[String((error as { readonly code?: unknown }).code)];
  return message === undefined ? error : new Error(message, { cause: error });
}

/** One clear message: who made a mistake in a config is not helped by our stack. */
function tell(error: unknown): void {
  process.stderr.write(`storefront: ${error instanceof Error ? error.message : String(error)}\n`);
}

function fail(error: unknown): never {
  tell(error);
  process.exit(1);
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
