import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const root = fileURLToPath(new URL("..", import.meta.url));
/** The shops of the configs below, as they are written there. */
export const shops = '[{ shopId: 1, locale: "de-DE", currency: "EUR" }]';
export const json = `{"shops":${JSON.stringify([{ shopId: 1, locale: "de-DE", currency: "EUR" }])}}`;
export const plain = `export default { shops: ${shops} };`;

/** The config of one shop with a method `greet` that returns a string. */
export function greeting(text: string): string {
  return `import { defineRpcMethod, defineStorefrontConfig } from "storefront-core";
export default defineStorefrontConfig({
  shops: ${shops},
  methods: { greet: defineRpcMethod({ handler: (): string => ${JSON.stringify(text)} }) },
});`;
}

/** Its method `wait` writes a file when it starts, and returns when a file `go` exists. */
export const waiting = `import { existsSync, writeFileSync } from "node:fs";
import { defineRpcMethod } from "storefront-core";
export default {
  shops: ${shops},
  methods: {
    wait: defineRpcMethod({
      async handler() {
        writeFileSync("running", "");
        while (!existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 5));
        return "waited";
      },
    }),
  },
};`;

/** A folder with files that can import `storefront-core`. */
export async function createFolder(files: Record<string, string>): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "storefront-cli-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules/storefront-core"));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return folder;
}

/** Runs a command until it exits. */
export async function runCli(args: readonly string[], options: CliOptions = {}) {
  const { result, exited } = spawnCli(args, options);
  return { code: await exited, ...result };
}

/** Starts a server on a free port, unless the arguments say otherwise. */
export async function startCli(
  args: readonly string[],
  { port = 0, ...options }: CliOptions & { readonly port?: number },
) {
  const { child, result, exited } = spawnCli([...args, "--port", String(port)], options);
  let isOver = false;
  void exited.then(() => (isOver = true));
  await until(() => isOver || /listens on [^]*\nStorage\n[^]*\n$/.test(result.stdout));
  const origin = /listens on (\S+)/.exec(result.stdout)?.[1];
  if (origin === undefined) throw new Error(`It did not start: ${result.stdout}${result.stderr}`);
  return {
    origin,
    exited,
    get stdout() {
      return result.stdout;
    },
    get stderr() {
      return result.stderr;
    },
    get output() {
      return result.stdout + result.stderr;
    },
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    /** Its output; a test can pause or close the reader. */
    streams: [child.stdout, child.stderr] as const,
    /** Calls a method. @returns the status and the body */
    async call(method: string): Promise<[status: number, body: unknown]> {
      const response = await fetch(`${origin}/api/rpc/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-shop-id": "1" },
        body: "{}",
      });
      return [response.status, await response.json()];
    },
  };
}

/** Starts a command. Its output is in `result`. */
export function spawnCli(
  args: readonly string[],
  { folder = tmpdir(), env, node = process.execPath }: CliOptions,
) {
  if (!existsSync(cli)) throw new Error(`There is no ${cli}; make it with: npm run build`);
  // The test runner's environment differs from an operator's.
  const { NODE_ENV: _, PORT: __, ...inherited } = process.env;
  const child = spawn(node, [cli, ...args], {
    cwd: folder,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const result = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  const exited = once(child, "close").then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return { child, result, exited };
}

/** Waits until a condition is true. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`It was never so: ${condition}`);
    await sleep(10);
  }
}

// --- Internal helpers ---

const cli = join(root, "dist/server/cli/cli.js");

interface CliOptions {
  readonly folder?: string;
  readonly env?: Record<string, string>;
  /** The program that runs it. Default: this Node */
  readonly node?: string;
}
