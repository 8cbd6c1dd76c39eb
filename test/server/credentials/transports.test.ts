import memoryDriver from "unstorage/drivers/memory";
import { beforeEach, describe, expect, test } from "vitest";
import { createTestClock, type TestClock } from "../../../server/testing/test-clock.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import {
  createTestAuth,
  TestClient,
  testAccount as account,
  type Transport,
} from "../../_client.ts";
import { describeServers, testSecret, type Setup } from "../../_setup.ts";
import { readTable } from "../../_table.ts";
import { retired } from "../../_sessions.ts";

let clock: TestClock;
beforeEach(() => {
  clock = createTestClock();
});

const item = { variantId: 7, quantity: 1 };

describeServers("sessions", (setup) => {
  describe.each(["cookie", "bearer"] as const)("by %s", (transport) =>
    describeSession(setup, transport),
  );
});

/** Tests a session with one transport. */
function describeSession(setup: Setup, transport: Transport): void {
  async function start(config: Partial<StorefrontConfig> = {}) {
    const session = { tokenMethod: transport, ...config.session };
    const storefront = await setup.start({ auth: createTestAuth(), ...config, session }, { clock });
    const client = (shopId?: number) => new TestClient(transport, storefront.send, shopId);
    return { ...storefront, client };
  }

  /** A client whose session has ended elsewhere. */
  async function startDead(): Promise<TestClient> {
    const user = (await start()).client();
    await user.call("register", account);
    const dead = user.clone();
    await user.call("logout");
    return dead;
  }

  test("keeps a guest's basket through registration and login", async () => {
    const { client } = await start();
    const guest = client();
    expect((await guest.call("getUser")).body).toEqual({});
    expect((await guest.call("addItemToBasket", item)).body.basket.itemCount).toBe(1);
    const guestId = guest.sessionId;
    const { user } = (await guest.call("register", account)).body;
    expect(guestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(guest.sessionId).toMatch(new RegExp(`^${user.id}:[0-9a-f-]{36}$`));
    expect((await guest.call("getBasket")).body.basket.itemCount).toBe(1);
    expect((await guest.call("getUser")).body.user.email).toBe(account.email);
  });

  test("rejects the credential from before a login", async () => {
    const { client } = await start();
    const guest = client();
    await guest.call("addItemToBasket", item);
    const thief = guest.clone();
    await guest.call("register", account);
    const { credentialUpdate, ...answer } = await thief.call("getUser");
    expect(answer).toMatchObject(retired);
    expect(credentialUpdate).toBe("unchanged");
    expect((await guest.call("getUser")).body.user.email).toBe(account.email);
  });

  test("a logout ends the session of the client only", async () => {
    const { client } = await start();
    const [one, two] = [client(), client()];
    await one.call("register", account);
    await two.call("login", account);
    const stolen = one.clone();
    expect(await one.call("logout")).toMatchObject({ status: 204, credentialUpdate: "cleared" });
    expect((await stolen.call("getUser")).body).toEqual({});
    expect((await two.call("getUser")).body.user.email).toBe(account.email);
  });

  test("logoutEverywhere ends the sessions of every client", async () => {
    const { client } = await start();
    const [one, two] = [client(), client(1002)];
    await one.call("register", account);
    await two.call("login", account);
    expect((await one.call("logoutEverywhere")).body).toEqual({ ended: 2 });
    expect((await two.call("getUser")).body).toEqual({});
  });

  test("rejects a credential of another shop", async () => {
    const { client } = await start();
    const user = client();
    await user.call("register", account);
    const elsewhere = user.clone({ shopId: 1002 });
    expect((await elsewhere.call("getUser")).body).toEqual({});
    expect((await user.call("getUser")).body.user.email).toBe(account.email);
  });

  test("rejects an altered credential", async () => {
    const { client } = await start();
    const user = client();
    await user.call("register", account);
    const whole = user.credential as string;
    for (const place of [3, Math.floor(whole.length / 2), whole.length - 1]) {
      const thief = user.clone();
      const other = whole[place] === "A" ? "B" : "A";
      thief.credential = whole.slice(0, place) + other + whole.slice(place + 1);
      expect((await thief.call("getUser")).body, `character ${place}`).toEqual({});
    }
  });

  test("keeps the changes of all parallel calls", async () => {
    const { client } = await start();
    const user = client();
    await user.call("register", account);
    const variants = Array.from({ length: 20 }, (_, index) => index + 1);
    await Promise.all(
      variants.map((variantId) => user.callRaw("addItemToBasket", { variantId, quantity: 1 })),
    );
    expect((await user.call("getBasket")).body.basket.itemCount).toBe(20);
  });

  test("a failed call leaves the session unchanged", async () => {
    const { client } = await start();
    const user = client();
    await user.call("register", account);
    expect(await user.call("login", { ...account, password: "wrong" })).toMatchObject({
      status: 401,
      credentialUpdate: "unchanged",
    });
    expect((await user.call("getUser")).body.user.email).toBe(account.email);
  });

  describe("docs/sessions.md: when the server sends it", () => {
    const rows = readTable("docs/sessions.md", "occasion");
    const column = transport === "cookie" ? 1 : 2;
    const expected = new Map(rows.map((row) => [row[0], row[column]]));

    /** Brings a client into a state, and returns the credential updates of the row's calls. */
    const occasions: Record<string, () => Promise<string[]>> = {
      "a guest reads": async () => {
        const guest = (await start()).client();
        return updatesOf(guest, ["getUser"], ["getBasket"]);
      },
      "a guest's first write": async () => {
        return updatesOf((await start()).client(), ["addItemToBasket", item]);
      },
      "a later call, with changes or without": async () => {
        const guest = (await start()).client();
        await guest.call("addItemToBasket", item);
        return updatesOf(
          guest,
          ["addItemToBasket", item],
          ["addItemToWishlist", { variantId: 7 }],
          ["getBasket"],
        );
      },
      "login, registration, new password": async () => {
        const user = (await start()).client();
        const { password } = account;
        return updatesOf(
          user,
          ["register", account],
          ["login", account],
          ["updatePassword", { oldPassword: password, newPassword: "battery staple" }],
        );
      },
      "`reauthenticate`, new email address": async () => {
        const user = (await start()).client();
        await user.call("register", account);
        const { password } = account;
        return updatesOf(
          user,
          ["reauthenticate", { password }],
          ["updateEmail", { email: "a@b.example" }],
        );
      },
      "a tenth of the lifetime has passed": async () => {
        const user = (await start()).client();
        await user.call("register", account);
        await clock.advance(8600);
        expect((await user.call("getUser")).credentialUpdate).toBe("unchanged");
        await clock.advance(100);
        return updatesOf(user, ["getUser"]);
      },
      "the ID was renewed, in this call or in the last 30 seconds": async () => {
        const user = (await start()).client();
        await user.call("register", account);
        const late = user.clone();
        await clock.advance(14_400);
        const updates = await updatesOf(user, ["getUser"]);
        await clock.advance(30);
        return [...updates, ...(await updatesOf(late, ["getUser"]))];
      },
      "the signing secret is being rotated out": async () => {
        const storage = setup.driver === "memory" ? memoryDriver() : setup.storage();
        const next = testSecret.toUpperCase();
        const auth = createTestAuth();
        const before = await start({ auth, storage: { session: storage } });
        const secret = [testSecret, next];
        const after = await start({ storage: { session: storage }, session: { secret } });
        const last = await start({ storage: { session: storage }, session: { secret: next } });
        const user = before.client();
        await user.call("register", account);
        const moved = user.clone({ send: after.send });
        const updates = await updatesOf(moved, ["getUser"]);
        expect((await moved.call("getUser")).credentialUpdate).toBe("unchanged");
        const { body } = await moved.clone({ send: last.send }).call("getUser");
        expect(body.user.email).toBe(account.email);
        return updates;
      },
      "logout, or another end of the session in this call": async () => {
        const { client } = await start();
        const [guest, user, other] = [client(), client(), client()];
        await guest.call("addItemToBasket", item);
        await user.call("register", account);
        await other.call("login", account);
        return [
          ...(await updatesOf(guest, ["logout"])),
          ...(await updatesOf(user, ["logout"])),
          ...(await updatesOf(other, ["logoutEverywhere"])),
        ];
      },
      "the client sends an invalid, ended, or expired session": async () => {
        const dead = await startDead();
        return updatesOf(dead, ["getUser"]);
      },
      "the client sends such a session, and a write begins a new one": async () => {
        const dead = await startDead();
        await clock.advance(31);
        return updatesOf(dead, ["addItemToBasket", item]);
      },
    };

    test("docs/sessions.md lists every occasion of this test", () => {
      expect([...expected.keys()]).toEqual(Object.keys(occasions));
    });

    test.each(Object.entries(occasions))("%s", async (occasion, run) => {
      const updates = await run();
      expect(new Set(updates)).toEqual(new Set([expected.get(occasion)]));
    });
  });
}

async function updatesOf(client: TestClient, ...calls: [string, unknown?][]): Promise<string[]> {
  const updates: string[] = [];
  for (const [method, payload] of calls)
    updates.push((await client.call(method, payload)).credentialUpdate);
  return updates;
}
