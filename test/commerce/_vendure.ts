import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFreePort } from "../_command.ts";

/** The Vendure of `examples/vendure-shop`, with its products, in a process of its own. */
export interface TestVendure {
  /** Its origin. */
  readonly url: string;
  /** Runs an operation of the Shop API, for example with the token of a customer. */
  query<T>(query: string, token?: string): Promise<T>;
  /** Whether this token has a login. */
  isActive(token: string): Promise<boolean>;
  /** Suspends the server: it accepts connections and doesn't respond. */
  pause(): void;
  resume(): void;
  /** Kills the server. */
  kill(): Promise<void>;
  /** Starts the server again on the same port. It has its data if they are `lasting`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The variants of `products.csv` that tests use. */
export const variants = {
  creamMug: "1",
  /** Two are in stock. */
  rustMug: "3",
  kettle: "4",
  bottle: "10",
  /** None is in stock. */
  plant: "8",
} as const;

/** The customer of `seed.js`. */
export const ada = { email: "ada@example.com", password: "correct horse" } as const;

/**
 * Starts Vendure on a free port. It takes a few seconds.
 * @param lasting whether the data are in a file, which makes changes slower
 * @throws Error with the output if it doesn't start
 */
export async function startVendure({ lasting = false } = {}): Promise<TestVendure> {
  if (!existsSync(join(folder, "node_modules/@vendure/core"))) {
    throw new Error(
      "Vendure is not installed; get it with: npm ci --ignore-scripts --prefix examples/vendure-shop",
    );
  }
  const files = await mkdtemp(join(tmpdir(), "storefront-vendure-"));
  const port = String(await findFreePort());
  const env = {
    ...process.env,
    PORT: port,
    VENDURE_DISABLE_TELEMETRY: "true",
    ...(lasting && { DATABASE: join(files, "database") }),
  };
  const url = `http://127.0.0.1:${port}`;
  let server: ChildProcess;
  await start();

  async function start(): Promise<void> {
    server = spawn(process.execPath, ["vendure/server.js"], {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = once(server, "exit");
    const end = () => server.kill("SIGKILL");
    process.once("exit", end);
    void ended.then(() => process.off("exit", end));
    let output = "";
    await new Promise<void>((resolve, reject) => {
      for (const stream of [server.stdout, server.stderr]) {
        stream?.setEncoding("utf8").on("data", (text: string) => {
          output += text;
          if (output.includes("listens on")) resolve();
        });
      }
      void ended.then(() => reject(new Error(`Vendure did not start:\n${output}`)));
    });
  }

  async function kill(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
  }

  async function query<T>(text: string, token?: string): Promise<T> {
    const response = await fetch(`${url}/shop-api`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "vendure-token": "shop-de",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: text }),
    });
    const { data } = (await response.json()) as { data: T };
    return data;
  }

  return {
    url,
    query,
    async isActive(token) {
      const { me } = await query<{ me: unknown }>("{ me { identifier } }", token);
      return me !== null;
    },
    pause: () => void server.kill("SIGSTOP"),
    resume: () => void server.kill("SIGCONT"),
    kill,
    restart: start,
    async stop() {
      await kill();
      await rm(files, { recursive: true, force: true });
    },
  };
}

// --- Internal helpers ---

const folder = fileURLToPath(new URL("../../examples/vendure-shop", import.meta.url));
