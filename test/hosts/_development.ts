import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { until } from "../_cli.ts";
import { findFreePort } from "../_command.ts";
import { CookieClient, type Send } from "../_cookie-client.ts";

/** A running development server. */
interface DevelopmentServer {
  readonly send: Send;
  stop(): Promise<void>;
}

/** Runs a development server until the test ends. @param command gets the port */
export async function startDevelopment(
  cwd: string,
  command: (port: number) => string,
): Promise<DevelopmentServer> {
  const port = await findFreePort();
  const child = spawn("sh", ["-c", `exec ${command(port)}`], {
    cwd,
    env: {
      ...process.env,
      NODE_ENV: "",
      NUXT_TELEMETRY_DISABLED: "1",
      NEXT_TELEMETRY_DISABLED: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const exited = once(child, "close");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const stop = async () => {
    // Some of these servers wait for open connections after SIGTERM.
    if (child.exitCode === null && child.signalCode === null) {
      process.kill(-(child.pid as number), "SIGKILL");
    }
    await exited;
  };
  onTestFinished(stop);
  const send: Send = (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
  const deadline = Date.now() + 120_000;
  while ((await tryCall(send, "getBasket")) === undefined) {
    if (Date.now() > deadline) throw new Error(`It did not start:\n${output}`);
    await sleep(100);
  }
  return { send, stop };
}

/**
 * Expects that a visitor keeps the session, the basket, and the account over a restart of a development server.
 * @param reloads whether the server uses a changed method without a restart
 */
export async function expectDevelopmentKeeps(
  cwd: string,
  command: (port: number) => string,
  { reloads }: { readonly reloads: boolean },
): Promise<void> {
  const user = { email: "ada-in-development@example.com", password: "correct horse 9" };
  const first = await startDevelopment(cwd, command);
  const client = new CookieClient(first.send);
  expect(await client.call("addItemToBasket", { variantId: 7, quantity: 2 })).toMatchObject({
    status: 200,
  });
  expect(await client.call("register", user)).toMatchObject({ status: 200 });
  if (reloads) {
    const method = join(cwd, "methods/greet.ts");
    const text = await readFile(method, "utf8");
    onTestFinished(() => writeFile(method, text));
    await writeFile(method, text.replace("guest", "stranger"));
    await until(async () => /stranger/.test(`${await tryCall(first.send, "greet")}`));
    await expectKept(client);
  }
  await first.stop();
  const second = await startDevelopment(cwd, command);
  const again = new CookieClient(second.send);
  for (const [name, value] of client.cookies) again.cookies.set(name, value);
  await expectKept(again);

  async function expectKept(visitor: CookieClient): Promise<void> {
    const { email } = user;
    expect(await visitor.call("getUser")).toMatchObject({ body: { user: { email } } });
    expect(await visitor.call("getBasket")).toMatchObject({ body: { basket: { itemCount: 2 } } });
  }
}

// --- Internal helpers ---

/** Calls a method as a new visitor. @returns `undefined` while the server doesn't respond with a result */
async function tryCall(send: Send, method: string): Promise<unknown> {
  try {
    const { status, body } = await new CookieClient(send).call(method);
    return status === 200 ? body : undefined;
  } catch {
    return undefined;
  }
}
