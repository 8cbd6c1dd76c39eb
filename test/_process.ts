import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { testSecret } from "./_setup.ts";
import { CookieClient, type Send } from "./_cookie-client.ts";

/** A server of `storefront start` in its own process. */
export interface ServerProcess {
  readonly origin: string;
  readonly send: Send;
  client(shopId?: number): CookieClient;
  /** Its standard output and standard error. */
  readonly output: string;
  /** Stops it with SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
  /** Kills it with SIGKILL. */
  kill(): Promise<void>;
  /** Sends a signal, for example SIGSTOP. */
  signal(name: NodeJS.Signals): void;
}

/**
 * Starts the built server with `fixtures/storefront.config.ts` on a Redis, on any free port.
 * @param callTimeout seconds
 * @throws Error if the build is missing or older than the sources, or the server doesn't start
 */
export async function startServerProcess(
  redisUrl: string,
  callTimeout = 30,
): Promise<ServerProcess> {
  const server = await startStorefront("storefront.config.ts", {
    cwd: fileURLToPath(new URL("fixtures", import.meta.url)),
    env: { TEST_REDIS_URL: redisUrl, TEST_CALL_TIMEOUT: String(callTimeout) },
  });
  const { send } = server;
  return Object.assign(server, { client: (shopId?: number) => new CookieClient(send, shopId) });
}

/** Starts the built server with a config and the tests' secret, on any free port. @throws Error as {@link startProcess} */
export function startStorefront(
  config: string,
  { cwd, env }: Parameters<typeof startProcess>[1],
): ReturnType<typeof startProcess> {
  const args = [cli, "start", "--config", config, "--port", "0"];
  return startProcess(args, { cwd, env: { TEST_SECRET: testSecret, ...env } });
}

/**
 * Starts a server program on the build, and waits until it prints "listens on <origin>".
 * @throws Error if the build is missing or older than the sources, or the program exits
 */
export async function startProcess(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Omit<ServerProcess, "client">> {
  await (checked ??= assertBuilt());
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit") as Promise<[code: number | null]>;
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  void exited.then(() => process.off("exit", end));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      child.emit("output");
    });
  }
  const origin = await findOrigin(child, () => output);
  return {
    origin,
    send: (path, init) => fetch(`${origin}${path}`, init),
    get output() {
      return output;
    },
    async stop() {
      child.kill("SIGTERM");
      const [code] = await exited;
      return code;
    },
    signal: (name) => void child.kill(name),
    async kill() {
      end();
      await exited;
    },
  };
}

/**
 * Counts the commands that clients send to a Redis during an action. It doesn't count the commands
 * of scripts inside Redis.
 */
export async function countCommands(url: string, act: () => Promise<unknown>): Promise<string[]> {
  const control = new Redis(url);
  // By then, the client has sent the commands of a new connection.
  await control.ping();
  const monitor = connect(Number(new URL(url).port), new URL(url).hostname);
  const lines = createInterface({ input: monitor });
  // A raw socket: the client fails if a command arrives in one chunk with the reply to MONITOR.
  monitor.write("MONITOR\r\n");
  const commands: string[] = [];
  await once(lines, "line");
  const over = new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      const [, source, text = ""] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? [];
      const [command = "", ...args] = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(
        ([, arg]) => arg,
      );
      if (command.toLowerCase() === "echo") resolve();
      // The connection for change notifications sends PING; calls never do.
      else if (source !== "lua" && command.toLowerCase() !== "ping") {
        commands.push([command, ...args].join(" "));
      }
    });
  });
  await act();
  // The monitor prints commands in order, so the echo comes after all earlier commands.
  await control.echo("over");
  await over;
  monitor.destroy();
  control.disconnect();
  return commands;
}

// --- Internal helpers ---

const root = new URL("../", import.meta.url);
const cli = fileURLToPath(new URL("dist/server/cli/cli.js", root));

let checked: Promise<void> | undefined;

/** Processes run the build, so a test with an old build proves nothing. */
export async function assertBuilt(): Promise<void> {
  const folders = ["adapters", "rpc", "server", "shared", "storage"];
  const files = await Promise.all(
    folders.map(async (folder) => {
      const found = await readdir(new URL(folder, root), { recursive: true });
      // A declaration has no build.
      return found.filter((file) => /(?<!\.d)\.ts$/.test(file)).map((file) => `${folder}/${file}`);
    }),
  );
  const builtAt = (await stat(cli).catch(() => undefined))?.mtimeMs ?? 0;
  for (const file of files.flat()) {
    const changedAt = (await stat(new URL(file, root))).mtimeMs;
    if (builtAt < changedAt) throw new Error(`${file} is newer than its build: npm run build`);
  }
}

/** Waits until the server prints its origin. */
async function findOrigin(child: ChildProcess, output: () => string): Promise<string> {
  const ended = once(child, "exit").then(() => "exit");
  for (;;) {
    const origin = /listens on (http:\/\/\S+)/.exec(output())?.[1];
    if (origin !== undefined) return origin;
    if ((await Promise.race([once(child, "output"), ended])) === "exit") {
      throw new Error(`The server did not start:\n${output()}`);
    }
  }
}
