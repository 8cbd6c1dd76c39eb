import { describe, expect, test } from "vitest";
import type { CookieClient } from "../_cookie-client.ts";
import { ada } from "./_vendure.ts";
import { expectOk, oneMug, useVendureShop } from "./_vendure-shop.ts";

const getShop = useVendureShop();

describe("Vendure's session", () => {
  test("ends when the customer logs out of the only session", async () => {
    const client = await getShop().loginAnew();
    const token = getShop().latestToken();
    expect(await getShop().vendure.isActive(token)).toBe(true);
    expectOk(await client.call("logout"));
    await expect.poll(() => getShop().vendure.isActive(token)).toBe(false);
  });

  test("ends by logoutEverywhere", async () => {
    const client = await getShop().loginAnew();
    const token = getShop().latestToken();
    expectOk(await client.call("logoutEverywhere", {}));
    await expect.poll(() => getShop().vendure.isActive(token)).toBe(false);
  });

  test("stays active if another device logs out", async () => {
    const [client, phone] = [await getShop().loginAnew(), await getShop().login()];
    expectOk(await client.call("logout"));
    expectOk(await phone.call("getBasket"));
  });

  test("ends with the last session of the customer if it was revoked", async () => {
    const revoked = await getShop().loginAnew();
    const token = getShop().latestToken();
    const client = await getShop().login();
    await revokeOthers(client);
    expectOk(await client.call("getBasket"));
    expect(expectOk(await revoked.call("getUser")).body).toEqual({});
    expectOk(await client.call("logout"));
    await expect.poll(() => getShop().vendure.isActive(token)).toBe(false);
  });

  test("ends after a restart if Vendure was down at the logout", async () => {
    const { proxy, stopServers, restartServers } = getShop();
    const client = await getShop().loginAnew();
    const token = getShop().latestToken();
    proxy.faults = { status: 503 };
    expectOk(await client.call("logout"));
    expect(await getShop().vendure.isActive(token)).toBe(true);
    await stopServers();
    proxy.faults = {};
    await restartServers();
    await expect.poll(() => getShop().vendure.isActive(token), { timeout: 20_000 }).toBe(false);
  });

  test("stays as it is when the customer authenticates again", async () => {
    const client = await getShop().loginAnew();
    const token = getShop().latestToken();
    expectOk(await client.call("reauthenticate", { password: ada.password }));
    expectOk(await client.call("getBasket"));
    expect(await getShop().vendure.isActive(token)).toBe(true);
    const wrong = await client.call("reauthenticate", { password: "nonsense 9" });
    expect(wrong).toMatchObject({ status: 403, body: { code: "wrong_password" } });
  });
});

describe("the storefront's session", () => {
  test("ends if Vendure has ended the customer's", async () => {
    const client = await getShop().loginAnew();
    await getShop().vendure.query("mutation { logout { success } }", getShop().latestToken());
    const answer = await client.call("addItemToBasket", oneMug);
    expect(answer).toMatchObject({ status: 409, body: { code: "session_ended" } });
    expect(expectOk(await client.call("getUser")).body).toEqual({});
  });

  test("shows its token to no client and in no log", async () => {
    const client = await getShop().loginAnew();
    const token = getShop().latestToken();
    const answers = [await client.call("getUser"), await client.call("listSessions")];
    expect(JSON.stringify(answers.map(({ body }) => body)) + getShop().output).not.toContain(token);
  });
});

// --- Internal helpers ---

async function revokeOthers(client: CookieClient): Promise<void> {
  const { sessions } = expectOk(await client.call("listSessions")).body;
  for (const { handle, current } of sessions) {
    if (!current) expectOk(await client.call("revokeSession", { handle }));
  }
}
