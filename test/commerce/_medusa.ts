import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { findFreePort } from "../_command.ts";
import { startPostgreSql } from "../_postgresql.ts";

/** A Medusa server with the data of `medusa/seed.js`, on a database of its own. */
export interface TestMedusa {
  readonly url: string;
  readonly databaseUrl: string;
  readonly publishableKey: string;
  readonly regions: Readonly<Record<"eur" | "usd", string>>;
  readonly variants: Readonly<Record<"cable" | "laptop" | "mouse", string>>;
  /** Kills the server. Its data remain. */
  kill(): Promise<void>;
  /** Starts the server again on the same port. @param jwtLifetime of new tokens. Default: `1d` */
  restart(jwtLifetime?: string): Promise<void>;
  /** Waits until the server prints something. @returns the first group of the pattern */
  readOutput(pattern: RegExp): Promise<string>;
  /** Ends the server and its database. */
  stop(): Promise<void>;
}

/** Starts Medusa and a PostgreSQL on free ports. It takes 20 seconds. @throws Error if a step fails, with its output */
export async function startMedusa(): Promise<TestMedusa> {
  const database = await startPostgreSql();
  const env = {
    ...process.env,
    NODE_ENV: "production",
    MEDUSA_DISABLE_TELEMETRY: "1",
    DATABASE_URL: database.url,
  };
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [cli, ...args], { cwd, env, maxBuffer });
  await run("db:migrate");
  const { stdout } = await run("exec", "./seed.js");
  const seeded = JSON.parse(/^seeded (.*)$/m.exec(stdout)?.[1] ?? "{}") as Seeded;
  const port = String(await findFreePort());
  const url = `http://127.0.0.1:${port}`;
  let server: ChildProcess;
  let output = "";
  await start();

  async function start(jwtLifetime = "1d"): Promise<void> {
    const args = [cli, "start", "--port", port, "--host", "127.0.0.1"];
    server = spawn(process.execPath, args, {
      cwd,
      env: { ...env, JWT_LIFETIME: jwtLifetime },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const end = () => server.kill("SIGKILL");
    process.once("exit", end);
    server.once("exit", () => process.off("exit", end));
    output = "";
    for (const stream of [server.stdout, server.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    while (!(await isHealthy(url))) {
      if (server.exitCode !== null) throw new Error(`Medusa did not start:\n${output}`);
      await sleep(100);
    }
  }

  async function kill(): Promise<void> {
    const exited = once(server, "exit");
    server.kill("SIGKILL");
    await exited;
  }

  return {
    ...seeded,
    url,
    databaseUrl: database.url,
    kill,
    restart: start,
    async readOutput(pattern) {
      for (;;) {
        const found = pattern.exec(output)?.[1];
        if (found !== undefined) return found;
        await sleep(50);
      }
    },
    async stop() {
      if (server.exitCode === null && server.signalCode === null) await kill();
      await database.stop();
    },
  };
}

// --- Internal helpers ---

type Seeded = Pick<TestMedusa, "publishableKey" | "regions" | "variants">;

const cwd = fileURLToPath(new URL("medusa", import.meta.url));
const cli = fileURLToPath(new URL("medusa/node_modules/@medusajs/cli/cli.js", import.meta.url));
const maxBuffer = 64 * 1024 * 1024;

async function isHealthy(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health`).catch(() => undefined);
  return response?.ok ?? false;
}
