#!/usr/bin/env node
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { serve } from "h3";
import { createStorefront } from "./app.ts";
import { describeStart } from "./banner.ts";
import { loadStorefrontConfig, watchStorefrontConfig } from "./load.ts";
import { resolveConfig } from "./resolve.ts";

const usage = `Usage: storefront <command> [options]

Commands
  start          serves the storefront; with NODE_ENV=production it refuses what is fit for
                 development only
  dev            serves it for development, and again whenever the config's file changes

Options
  --config FILE  the config (default: storefront.config.ts in this folder)
  --port N       the port (default: the variable PORT, or 3000; 0 takes any free one)
  --host H       the address to listen on (default: 127.0.0.1; 0.0.0.0 for all)
  --help         this text
  --version      the version
`;

try {
  await main(process.argv.slice(2));
} catch (error) {
  // One clear message: who made a mistake in a config is not helped by our stack.
  process.stderr.write(`storefront: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

// --- Internal helpers ---

interface RunOptions {
  readonly file: string | undefined;
  readonly port: number;
  readonly host: string;
  readonly production: boolean;
}

interface Running {
  readonly file: string;
  stop(): Promise<void>;
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: "string" },
      port: { type: "string" },
      host: { type: "string" },
      help: { type: "boolean", short: "h" },
      version: { type: "boolean", short: "v" },
    },
  });
  if (values.help) return void process.stdout.write(usage);
  if (values.version) return void process.stdout.write(`${await readVersion()}\n`);
  const [command, ...rest] = positionals;
  if ((command !== "start" && command !== "dev") || rest.length > 0) {
    throw new Error(`"${positionals.join(" ")}" is no command\n\n${usage}`);
  }
  const options: RunOptions = {
    file: values.config,
    port: toPort(values.port ?? process.env["PORT"] ?? "3000"),
    host: values.host ?? "127.0.0.1",
    production: command === "start" && process.env["NODE_ENV"] === "production",
  };
  let running = await run(options);
  if (command === "dev") {
    await watchStorefrontConfig(process.cwd(), running.file, () => {
      void restart(running, options).then((next) => {
        running = next;
      });
    });
  }
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // Who asks a second time does not want to wait for calls in flight.
      if (isStopping) process.exit(1);
      isStopping = true;
      void running.stop().then(() => process.exit(0));
    });
  }
}

/** Loads the config and serves it. @throws Error where one of them cannot be done */
async function run({ file, port, host, production }: RunOptions): Promise<Running> {
  const loaded = await loadStorefrontConfig(process.cwd(), file);
  const app = createStorefront(loaded.config, { production });
  const { trustProxy } = app.options;
  const server = serve(app, {
    port,
    hostname: host,
    manual: true,
    silent: true,
    gracefulShutdown: false,
    trustProxy: typeof trustProxy === "boolean" ? trustProxy : [...trustProxy],
  });
  try {
    await server.serve();
    await server.ready();
  } catch (error) {
    await app.close();
    throw error;
  }
  process.stdout.write(describeStart(server.url as string, app.options, app.stores));
  return {
    file: loaded.file,
    async stop() {
      await server.close();
      await app.close();
    },
  };
}

/** Serves the changed config; one with faults is told, and the old one goes on. */
async function restart(running: Running, options: RunOptions): Promise<Running> {
  try {
    const { config } = await loadStorefrontConfig(process.cwd(), options.file);
    resolveConfig(config, { production: false });
    await running.stop();
    return await run(options);
  } catch (error) {
    process.stderr.write(`storefront: ${error instanceof Error ? error.message : String(error)}\n`);
    return running;
  }
}

function toPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new Error(`--port: found ${JSON.stringify(text)}, expected a number from 0 to 65535`);
  }
  return port;
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
