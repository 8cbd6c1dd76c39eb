import { expect, test } from "vitest";
import { createTestClock } from "../../../server/testing/index.ts";
import { describeStorages, type TestStorefront } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";

const clock = createTestClock();

/** Logs in on as many devices, a second apart. */
async function enterOn({ client }: TestStorefront, devices: number): Promise<CookieClient[]> {
  const clients: CookieClient[] = [];
  for (let device = 0; device < devices; device++) {
    const one = client(device % 2 === 0 ? 1001 : 1002);
    await one.call("enter", { id: 7 });
    clients.push(one);
    await clock.advance(1);
  }
  return clients;
}

async function whoAreAlive(clients: readonly CookieClient[]): Promise<boolean[]> {
  const answers = await Promise.all(clients.map((client) => client.call("getUser")));
  return answers.map(({ body }) => body.user !== undefined);
}

describeStorages("the sessions of a user", ({ start }) => {
  test("never exceed maxSessionsPerUser: the least recently used one ends", async () => {
    const session = { maxSessionsPerUser: 3, maxAge: 20 };
    const storefront = await start({ methods: testMethods, session }, { clock });
    const [first, second, third] = await enterOn(storefront, 3);
    // A use counts from a tenth of the lifetime on.
    await first?.call("getUser");
    const other = storefront.client();
    await other.call("enter", { id: 8 });
    const fourth = storefront.client();
    expect((await fourth.call("enter", { id: 7 })).status).toBe(200);
    const clients = [first, second, third, fourth, other] as CookieClient[];
    expect(await whoAreAlive(clients)).toEqual([true, false, true, true, true]);
    expect((await fourth.call("listSessions")).body.sessions).toHaveLength(3);
  });

  test("never exceed maxSessionsPerUser after parallel logins", async () => {
    const session = { maxSessionsPerUser: 3 };
    const { client } = await start({ methods: testMethods, session }, { clock });
    const clients = Array.from({ length: 12 }, () => client());
    await Promise.all(clients.map((one) => one.call("enter", { id: 7 })));
    const alive = await whoAreAlive(clients);
    expect(alive.filter(Boolean)).toHaveLength(3);
  });

  test("can be limited by rejecting logins, and the guest then stays a guest", async () => {
    const session = { maxSessionsPerUser: 2, sessionLimitPolicy: "refuse" as const };
    const storefront = await start({ methods: testMethods, session }, { clock });
    const [first, second] = await enterOn(storefront, 2);
    const third = storefront.client();
    await third.call("note", { colour: "red" });
    const refused = await third.call("enter", { id: 7 });
    expect(refused).toMatchObject({ status: 409, body: { code: "too_many_sessions" } });
    expect((await third.call("notes")).body).toEqual({ colour: "red" });
    expect(await whoAreAlive([first, second, third] as CookieClient[])).toEqual([
      true,
      true,
      false,
    ]);
    // A new login replaces its own session, and a logout makes room for one.
    expect((await second?.call("enter", { id: 7 }))?.status).toBe(200);
    await first?.call("logout");
    expect((await third.call("enter", { id: 7 })).status).toBe(200);
  });
});
