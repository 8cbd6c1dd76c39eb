import { parseSetCookie } from "cookie-es";
import { beforeEach, describe, expect, test } from "vitest";
import { createTestAuth, testAccount as account } from "../../_client.ts";
import { createFaultyDriver, later } from "../../_faulty-driver.ts";
import { createSetup, describeServers } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";

const name = "$session-1001";
const base = { auth: createTestAuth(), methods: testMethods };
const item = { variantId: 7, quantity: 1 };

/** Calls as a browser that sends the cookies of several visitors. */
function callWith(method: string, payload: unknown, ...clients: CookieClient[]) {
  const cookie = clients.map((client) => client.cookieHeader).join("; ");
  return (clients[0] as CookieClient).clone().call(method, payload, { cookie });
}

async function whoIs(client: CookieClient): Promise<unknown> {
  return (await client.call("getUser")).body?.user?.id;
}

describeServers("a browser with two active cookies of one name", ({ start }) => {
  test.each(["two users", "a user and a guest", "a guest and a user"])(
    "a logout with two cookies ends both sessions (%s)",
    async (who) => {
      const { client } = await start(base);
      const [one, other] = [client(), client()];
      if (who.startsWith("a guest")) await one.call("addItemToBasket", item);
      else await one.call("enter", { id: 7 });
      if (who.endsWith("guest")) await other.call("addItemToBasket", item);
      else await other.call("enter", { id: 8 });
      const logout = await callWith("logout", undefined, one, other);
      expect(logout.status).toBe(204);
      expect(await whoIs(one)).toBeUndefined();
      expect(await whoIs(other)).toBeUndefined();
      expect((await one.call("getBasket")).body.basket.itemCount).toBe(0);
      expect((await other.call("getBasket")).body.basket.itemCount).toBe(0);
    },
  );

  test.each(["logoutEverywhere", "endSessions", "revokeSession"])(
    "%s ends the sessions of both cookies if it ends the session of the call",
    async (method) => {
      const { client } = await start(base);
      const [one, other] = [client(), client()];
      await one.call("enter", { id: 7 });
      await other.call("addItemToBasket", item);
      const [{ handle }] = (await one.call("listSessions")).body.sessions;
      const payload = { endSessions: { userId: 7 }, revokeSession: { handle } }[method];
      const answer = await callWith(method, payload, one, other);
      expect(answer.setCookies).toHaveLength(2);
      expect(await whoIs(one)).toBeUndefined();
      expect((await other.call("getBasket")).body.basket.itemCount).toBe(0);
    },
  );

  test("logoutEverywhere keeps the sessions of both cookies if it keeps the session of the call", async () => {
    const { client } = await start(base);
    const [one, other] = [client(), client()];
    await one.call("enter", { id: 7 });
    await other.call("addItemToBasket", item);
    await callWith("logoutEverywhere", { keepCurrent: true }, one, other);
    expect(await whoIs(one)).toBe(7);
    expect((await other.call("getBasket")).body.basket.itemCount).toBe(1);
  });

  test("calls the afterLogout hook for each session that a logout ends", async () => {
    const told: unknown[] = [];
    const { client } = await start({
      ...base,
      hooks: { "storefront:afterLogout": ({ user }) => void told.push(user.id) },
    });
    const [one, other] = [client(), client()];
    await one.call("enter", { id: 7 });
    await other.call("enter", { id: 8 });
    await callWith("logout", undefined, one, other);
    expect(told.toSorted()).toEqual([7, 8]);
  });

  test("a login with two cookies ends both previous sessions", async () => {
    const { client } = await start(base);
    const [one, other] = [client(), client()];
    await one.call("addItemToBasket", item);
    await other.call("enter", { id: 8 });
    const cookie = `${one.cookieHeader}; ${other.cookieHeader}`;
    const browser = client();
    expect((await browser.call("login", account, { cookie })).status).toBe(200);
    expect(await whoIs(browser)).toBe(7);
    for (const old of [one, other]) {
      expect((await old.call("getUser")).body.code).toBe("session_changed");
      // The browser still sends the cookie that the new one didn't replace.
      const { body } = await callWith("getUser", undefined, old, browser);
      expect(body.user.id).toBe(7);
    }
    expect((await browser.call("getBasket")).body.basket.itemCount).toBe(1);
    const eight = client();
    await eight.call("enter", { id: 8 });
    expect((await eight.call("listSessions")).body.sessions).toHaveLength(1);
  });

  test("a call with a valid and an invalid cookie clears neither", async () => {
    const { client } = await start(base);
    const [dead, user] = [client(), client()];
    await dead.call("enter", { id: 8 });
    const before = dead.clone();
    await dead.call("logout");
    await user.call("enter", { id: 7 });
    expect((await callWith("note", { a: 1 }, before, user)).status).toBe(204);
    expect((await user.call("notes")).body).toEqual({ a: 1 });
  });
});

describe("a logout with a cookie and a token", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("a logout with a cookie and a token ends both sessions and clears both credentials", async () => {
    const { client } = await start({ ...base, session: { tokenMethod: ["cookie", "bearer"] } });
    const [one, other] = [client(), client()];
    const given = await one.call("enter", { id: 7 });
    const authorization = `Bearer ${given.headers.get("storefront-auth-token")}`;
    await other.call("enter", { id: 8 });
    const logout = await other.call("logout", undefined, { authorization });
    expect(logout.headers.get("storefront-auth-token")).toBe("");
    expect(other.cookies.size).toBe(0);
    expect(await whoIs(one)).toBeUndefined();
  });
});

describe("the deletion of a cookie", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  async function logout(session: object, isDouble: boolean) {
    const { client } = await start({ ...base, session });
    const [one, other] = [client(), client()];
    await one.call("enter", { id: 7 });
    await other.call("enter", { id: 7 });
    const all = isDouble ? [one, other] : [one];
    const { setCookies } = await callWith("logout", undefined, ...all);
    return setCookies.map((line) => {
      const cookie = parseSetCookie(line);
      expect(cookie).toMatchObject({ name, value: "", maxAge: 0, path: "/", httpOnly: true });
      if (cookie?.partitioned) expect(cookie.secure).toBe(true);
      return `${cookie?.domain ?? "host"}${cookie?.partitioned ? " partitioned" : ""}`;
    });
  }

  test("deletes every form of the cookie if the client sent two of its name", async () => {
    expect(await logout({}, true)).toEqual(["host", "host partitioned"]);
    expect(await logout({ domain: "shop.example" }, true)).toEqual([
      "host",
      "host partitioned",
      "shop.example",
      "shop.example partitioned",
    ]);
  });

  test("deletes the configured form of the cookie if the client sent one", async () => {
    expect(await logout({}, false)).toEqual(["host"]);
    expect(await logout({ domain: "shop.example" }, false)).toEqual(["shop.example"]);
    expect(await logout({ partitioned: true }, false)).toEqual(["host partitioned"]);
  });
});

describe("a request with many cookies of one name", () => {
  const faulty = createFaultyDriver();
  const { start } = createSetup("memory", "request", () => faulty.driver);
  let reads: string[] = [];

  beforeEach(() => {
    faulty.heal();
    reads = [];
  });

  test("reads the sessions of the last eight valid cookies at the same time", async () => {
    const { client } = await start(base);
    const dead: CookieClient[] = [];
    for (let n = 0; n < 20; n++) {
      const guest = client();
      await guest.call("note", { n });
      dead.push(guest.clone());
      await guest.call("logout");
    }
    const user = client();
    await user.call("enter", { id: 7 });
    let running = 0;
    let most = 0;
    faulty.before = async ({ kind, key }) => {
      if (kind !== "read" || !key.startsWith("session:1001:")) return;
      reads.push(key);
      most = Math.max(most, ++running);
      await later();
      running--;
    };
    // Cookies with an invalid signature don't count.
    const forged = Array.from({ length: 20 }, (_, n) => `${name}=s%3A${n}.${"A".repeat(43)}`);
    const cookie = [...dead.map((one) => one.cookieHeader), user.cookieHeader, ...forged];
    const { body } = await client().call("getUser", undefined, { cookie: cookie.join("; ") });
    expect(body.user.id).toBe(7);
    expect(reads).toHaveLength(8);
    expect(most).toBe(8);
  });

  test("ignores the ninth valid cookie from the end", async () => {
    const { client } = await start(base);
    const user = client();
    await user.call("enter", { id: 7 });
    const guests: CookieClient[] = [];
    for (let n = 0; n < 8; n++) {
      const guest = client();
      await guest.call("note", { n });
      guests.push(guest);
    }
    const { body } = await callWith("notes", undefined, user, ...guests);
    expect(body).toEqual({ n: 0 });
  });
});
