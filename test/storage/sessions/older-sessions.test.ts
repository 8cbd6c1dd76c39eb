import type { Driver } from "unstorage";
import { beforeEach, describe, expect, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { createSetup, type TestStorefront } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { readStored } from "../../fixtures/stored.ts";

const token = "an-admin-token-of-more-than-32-characters";
const config = { methods: testMethods, admin: { token } };

describe("a session of a version without random generations", () => {
  let driver: Driver;
  beforeEach(() => {
    driver = openDriver({ driver: "memory" });
  });
  const { start } = createSetup("memory", "request", () => driver);

  /** Converts the stored sessions to the format of that version, and starts this version on them. */
  async function upgrade(epoch?: number): Promise<TestStorefront> {
    const documents = [
      ...(await readStored(driver, "session:1")),
      ...(await readStored(driver, "user:")),
    ];
    for (const { key, text } of documents) {
      const older = epoch === undefined ? "" : `"epoch":${epoch},`;
      const changed = text.replaceAll(/"generation":"[^"]*",/g, older);
      expect(changed).not.toBe(text);
      await driver.setItemRaw?.(key, changed, {});
    }
    await driver.removeItem?.("session-generations:current", {});
    return start(config);
  }

  async function write(key: string, value: unknown): Promise<void> {
    await driver.setItemRaw?.(key, JSON.stringify({ version: "v", value }), {});
  }

  /** A user's session and a guest's, both with data. */
  async function begin(): Promise<readonly CookieClient[]> {
    const { client } = await start(config);
    const clients = [client(), client()];
    await clients[0]?.call("enter", { id: 7 });
    for (const one of clients) await one.call("note", { alive: true });
    return clients;
  }

  test("stays active, and can be extended, listed and ended", async () => {
    const clients = await begin();
    const upgraded = await upgrade();
    expect(await areAlive(clients, upgraded)).toEqual([true, true]);
    const user = upgraded.client();
    await user.call("enter", { id: 7 });
    expect((await user.call("listSessions")).body.sessions).toHaveLength(2);
    expect((await user.call("logoutEverywhere")).body).toEqual({ ended: 2 });
    expect(await areAlive(clients, upgraded)).toEqual([false, true]);
  });

  test("stays in its user's index while its shop has no generation yet", async () => {
    await begin();
    const upgraded = await upgrade();
    const inOtherShop = upgraded.client(1002);
    await inOtherShop.call("enter", { id: 7 });
    expect((await inOtherShop.call("listSessions")).body.sessions).toHaveLength(2);
  });

  test("ends at the next end of all sessions", async () => {
    const clients = await begin();
    const upgraded = await upgrade();
    await endAll(upgraded);
    expect(await areAlive(clients, upgraded)).toEqual([false, false]);
  });

  test.each(["session-generations:current", "session:epochs"])(
    "stays ended when %s is lost or corrupted afterwards",
    async (key) => {
      const clients = await begin();
      await endAll(await upgrade());
      expect((await readStored(driver, key)).length).toBe(1);
      await driver.removeItem?.(key, {});
      expect(await areAlive(clients, await start(config))).toEqual([false, false]);
      await driver.setItemRaw?.(key, "spoilt", {});
      expect(await areAlive(clients, await start(config))).toEqual([false, false]);
    },
  );

  test("stays active only if it has its shop's number", async () => {
    const clients = await begin();
    await write("session:epochs", { 1001: 2 });
    expect(await areAlive(clients, await upgrade(2))).toEqual([true, true]);
    await driver.removeItem?.("session-generations:current", {});
    await write("session:epochs", { 1001: 3 });
    expect(await areAlive(clients, await start(config))).toEqual([false, false]);
  });

  test("gives its number to later sessions, for servers of its version", async () => {
    await begin();
    await write("session:epochs", { 1001: 2 });
    const upgraded = await upgrade(2);
    const later = upgraded.client();
    await later.call("enter", { id: 8 });
    const [stored] = await readStored(driver, `session:1001:${later.sessionId?.slice(2)}`);
    expect(stored?.value).toMatchObject({ epoch: 2, generation: expect.any(String) });
    await endAll(upgraded);
    expect((await later.call("getUser")).body).toEqual({});
  });

  test("ends if the number of its shop is unreadable", async () => {
    const clients = await begin();
    await driver.setItemRaw?.("session:epochs", "spoilt", {});
    expect(await areAlive(clients, await upgrade())).toEqual([false, false]);
  });
});

// --- Internal helpers ---

async function endAll({ send }: TestStorefront): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const { status } = await send("/api/admin/endAllSessions", {
    method: "POST",
    headers,
    body: "{}",
  });
  expect(status).toBe(200);
}

async function areAlive(clients: readonly CookieClient[], { client }: TestStorefront) {
  return Promise.all(
    clients.map(async ({ cookies }) => {
      const same = client();
      for (const [name, value] of cookies) same.cookies.set(name, value);
      return (await same.call("notes")).body.alive === true;
    }),
  );
}
