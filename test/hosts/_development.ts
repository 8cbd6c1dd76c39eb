import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { until } from "../_cli.ts";
import { findFreePort, startCommand } from "../_command.ts";
import { CookieClient, type Send } from "../_cookie-client.ts";

/** Runs a development server until the test ends. @param command gets the port */
export async function startDevelopment(
  cwd: string,
  command: (port: number) => string,
): Promise<{ readonly send: Send; readonly stop: () => Promise<void> }> {
  const port = await findFreePort();
  const send: Send = (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
  const env = { NUXT_TELEMETRY_DISABLED: "1", NEXT_TELEMETRY_DISABLED: "1" };
  const isReady = async () => (await tryCall(send, "getBasket")) !== undefined;
  const { stop } = await startCommand(command(port), { cwd, env }, isReady);
  onTestFinished(stop);
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
