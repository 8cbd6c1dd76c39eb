import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createTestAuth, testAccount as account } from "../_client.ts";
import { createSetup } from "../_setup.ts";
import { CookieClient } from "../_cookie-client.ts";

// docs/rpc.md shows these lines to clients other than the typed one.
export async function callAgain(send: () => Promise<Response>): Promise<Response> {
  for (const milliseconds of [200, 1000]) {
    const response = await send();
    if (response.status !== 409) return response;
    const { code, executed } = await response.clone().json();
    if (code !== "session_changed" || executed !== false) return response;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
  return send();
}

const { start } = createSetup("memory", "server", () => ({ driver: "memory" }));
const item = { variantId: 7, quantity: 1 };

/** Calls as `fetch` would: a response with its body. */
async function fetchAs(client: CookieClient, method: string, payload?: unknown): Promise<Response> {
  const { body, status } = await client.call(method, payload);
  return new Response(body === undefined ? null : JSON.stringify(body), { status });
}

test("docs/rpc.md shows the lines that this test runs", async () => {
  const [own, docs] = await Promise.all(
    ["test/server/call-again.test.ts", "docs/rpc.md"].map((path) => readFile(path, "utf8")),
  );
  const [lines] = /^export async function callAgain.*?^}$/ms.exec(own ?? "") ?? [];
  expect(docs).toContain(lines);
});

test("retries a call that overlaps a login with a slow response, in the user's session", async () => {
  const { send } = await start({ auth: createTestAuth() });
  const browser = new CookieClient(async (path, init) => {
    const response = await send(path, init);
    if (path.endsWith("/login")) await sleep(500);
    return response;
  });
  await browser.call("addItemToBasket", item);
  const login = browser.call("login", account);
  await sleep(100);
  const late = await callAgain(() => fetchAs(browser, "addItemToBasket", item));
  expect(late.status).toBe(200);
  expect((await login).status).toBe(200);
  expect((await browser.call("getUser")).body.user.id).toBe(7);
  expect((await browser.call("getBasket")).body.basket.itemCount).toBe(2);
});

test("doesn't retry an executed call or a call of an ended session", async () => {
  for (const problem of [
    { code: "session_changed", executed: true },
    { code: "session_ended", executed: false },
    { code: "email_taken" },
  ]) {
    let calls = 0;
    const response = await callAgain(async () => {
      calls++;
      return Response.json(problem, { status: 409 });
    });
    expect([response.status, calls]).toEqual([409, 1]);
    expect(await response.json()).toEqual(problem);
  }
});
