import { beforeEach, describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { createAccounts } from "../../../rpc/accounts/accounts.ts";
import { toKeySegment } from "../../../storage/documents/key.ts";
import type { ShopUser } from "../../../storage/sessions/session-record.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createFaultyDriver } from "../../_faulty-driver.ts";
import { createTestClock, type TestClock } from "../../../server/testing/test-clock.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeStorages } from "../../_setup.ts";
import { createTestVisit } from "../../_visit.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { retired } from "../../_sessions.ts";

const ada = { email: "ada@example.com", password: "correct horse" };
const required = { status: 401, body: { code: "reauthentication_required" } };
const methods = {
  ...testMethods,
  deleteAccount: defineRpcMethod({ access: "user", requireFresh: true, handler: () => "gone" }),
};

let clock: TestClock;
beforeEach(() => void (clock = createTestClock()));

describeStorages("a method that requires a fresh login", ({ start }) => {
  test("runs for freshFor seconds after the login, and again after reauthenticate", async () => {
    const { client } = await start({ methods, session: { freshFor: 60 } }, { clock });
    const user = client();
    expect((await user.call("deleteAccount")).body.code).toBe("not_logged_in");
    await user.call("register", ada);
    await clock.advance(59);
    expect((await user.call("deleteAccount")).body).toBe("gone");
    await clock.advance(1);
    expect(await user.call("deleteAccount")).toMatchObject(required);
    const stolen = user.clone();
    expect((await user.call("reauthenticate", { password: ada.password })).status).toBe(204);
    expect(user.sessionId).not.toBe(stolen.sessionId);
    expect((await user.call("deleteAccount")).body).toBe("gone");
    expect(await stolen.call("getUser")).toMatchObject(retired);
    await clock.advance(60);
    expect(await user.call("deleteAccount")).toMatchObject(required);
  });

  test("stays closed after a wrong password, somebody else's password, and a renewal", async () => {
    const { client } = await start(
      { methods, session: { freshFor: 60, renewAfter: 100 } },
      { clock },
    );
    const user = client();
    await client().call("register", { email: "eve@example.com", password: "battery staple" });
    await user.call("register", ada);
    await clock.advance(60);
    for (const password of ["wrong", "battery staple"]) {
      const answer = await user.call("reauthenticate", { password });
      expect(answer).toMatchObject({ status: 403, body: { code: "wrong_password" } });
      expect(answer.body.errors).toMatchObject([{ path: ["password"] }]);
    }
    expect(await user.call("deleteAccount")).toMatchObject(required);
    await clock.advance(40);
    expect((await user.call("getUser")).setCookies).toHaveLength(1);
    expect(await user.call("deleteAccount")).toMatchObject(required);
    expect((await client().call("reauthenticate", { password: "any" })).status).toBe(401);
  });
});

describeStorages("an auth of the config", ({ start }) => {
  test("makes no login fresh by another user's password", async () => {
    const user = (id: number) => ({ id, email: ada.email });
    const login = async ({ password }: { password: string }) => user(password === "mine" ? 7 : 8);
    const auth = { login, register: login, changePassword: async () => true };
    const { client } = await start({ auth });
    const customer = client();
    await customer.call("login", { email: ada.email, password: "mine" });
    expect((await customer.call("reauthenticate", { password: "other" })).status).toBe(403);
    expect((await customer.call("reauthenticate", { password: "mine" })).status).toBe(204);
  });
});

describeStorages("a fresh login", ({ start }) => {
  test("can be required by a hook, for methods that don't require it themselves", async () => {
    const assertFresh = defineRpcMethod({ access: "user", requireFresh: true, handler() {} });
    const hooks: StorefrontConfig["hooks"] = {
      async "storefront:rpc:before"({ method, context }) {
        const ends = ["revokeSession", "logoutEverywhere"].includes(method);
        if (ends) await context.callRpc("assertFresh");
      },
    };
    const config = { methods: { assertFresh }, session: { freshFor: 60 }, hooks };
    const { client } = await start(config, { clock });
    const [user, elsewhere] = [client(), client()];
    await user.call("register", ada);
    await elsewhere.call("login", ada);
    await clock.advance(60);
    const { sessions } = (await user.call("listSessions")).body;
    const { handle } = sessions.find(({ current }: { current: boolean }) => !current);
    for (const [method, payload] of [
      ["revokeSession", { handle }],
      ["logoutEverywhere"],
    ] as const) {
      expect(await user.call(method, payload), method).toMatchObject(required);
    }
    expect((await elsewhere.call("getUser")).body.user).toBeDefined();
    await user.call("reauthenticate", { password: ada.password });
    expect((await user.call("revokeSession", { handle })).status).toBe(204);
    expect((await elsewhere.call("getUser")).body).toEqual({});
  });
});

describeStorages("a new email address", ({ start }) => {
  test("replaces the old one for logins, and ends the other sessions", async () => {
    const { client } = await start();
    const [user, elsewhere, later] = [client(), client(), client()];
    const { id } = (await user.call("register", { ...ada, firstName: "Ada" })).body.user;
    await elsewhere.call("login", ada);
    const old = user.clone();
    const answer = await user.call("updateEmail", { email: "Lovelace@Example.com" });
    const changed = { id, email: "lovelace@example.com", firstName: "Ada" };
    expect(answer.body).toEqual({ user: changed });
    expect((await user.call("getUser")).body).toEqual({ user: changed });
    expect((await elsewhere.call("getUser")).body).toEqual({});
    expect(await old.call("getUser")).toMatchObject(retired);
    expect((await later.call("login", ada)).status).toBe(401);
    const login = await later.call("login", { ...ada, email: "lovelace@example.com" });
    expect(login.body.user).toEqual(changed);
    const passwords = { oldPassword: ada.password, newPassword: "battery staple" };
    expect((await user.call("updatePassword", passwords)).status).toBe(200);
    // The old address is free again.
    expect((await client().call("register", ada)).status).toBe(200);
  });

  test("requires a fresh login, and belongs to no other account", async () => {
    const { client } = await start({ session: { freshFor: 60 } }, { clock });
    const user = client();
    await client().call("register", { ...ada, email: "eve@example.com" });
    await user.call("register", ada);
    const taken = await user.call("updateEmail", { email: "Eve@example.com" });
    expect(taken).toMatchObject({ status: 409, body: { code: "email_taken" } });
    expect((await user.call("updateEmail", { email: "no address" })).status).toBe(422);
    expect((await user.call("updateEmail", { email: "ADA@example.com" })).status).toBe(200);
    await clock.advance(60);
    expect(await user.call("updateEmail", { email: "new@example.com" })).toMatchObject(required);
    expect((await client().call("login", ada)).status).toBe(200);
  });

  test("doesn't make the login fresh again", async () => {
    const { client } = await start({ session: { freshFor: 60 } }, { clock });
    const user = client();
    await user.call("register", ada);
    await clock.advance(40);
    expect((await user.call("updateEmail", { email: ada.email })).status).toBe(200);
    await clock.advance(20);
    expect(await user.call("updateEmail", { email: ada.email })).toMatchObject(required);
  });

  test("can't change through a custom auth without changeEmail", async () => {
    const login = async () => ({ id: 7, email: ada.email });
    const auth = { login, register: login, changePassword: async () => true };
    const { client } = await start({ auth });
    const user = client();
    await user.call("login", ada);
    const answer = await user.call("updateEmail", { email: "new@example.com" });
    expect(answer).toMatchObject({ status: 404, body: { code: "unknown_method" } });
  });
});

describe("an account that moves to another email address", () => {
  const context = createTestVisit();
  const asked = { ...context, signal: new AbortController().signal };

  let registered: { readonly user: ShopUser; readonly text: string } | undefined;

  async function register() {
    const { driver, stored } = createFaultyDriver();
    const user = await createAccounts(openDocumentStore(driver, createTestLog())).register(
      ada,
      asked,
    );
    return { user, text: stored().get(placeOf(ada.email)) as string };
  }

  async function begin() {
    const faulty = createFaultyDriver();
    const accounts = createAccounts(openDocumentStore(faulty.driver, createTestLog()));
    // Hashing takes its time, so it is done once.
    registered ??= await register();
    const { user, text } = registered;
    await faulty.driver.setItemRaw?.(placeOf(ada.email), text, {});
    const change = (email: string) => accounts.changeEmail?.({ user, email }, asked);
    const settle = (email: string) => change(email)?.catch((error: unknown) => error);
    /** The stored keys of the account. */
    const places = () => [...faulty.stored().keys()];
    return { faulty, accounts, user, change, settle, places };
  }

  test("appears once in the storage after each failure and a retry", async () => {
    for (let step = 1; step <= 8; step++) {
      const { faulty, change, places, settle } = await begin();
      let seen = 0;
      faulty.before = () => {
        if (++seen === step) throw new Error("out of order");
      };
      await settle("new@example.com");
      faulty.heal();
      await change("new@example.com");
      expect(places(), `step ${step}`).toEqual([placeOf("new@example.com")]);
    }
  });

  test("appears once in the storage after two parallel changes", async () => {
    for (let step = 1; step <= 8; step++) {
      const { faulty, places, settle } = await begin();
      let seen = 0;
      let second: Promise<unknown> | undefined;
      faulty.before = () => {
        if (++seen === step) second = settle("second@example.com");
      };
      const outcomes = [await settle("first@example.com"), await second];
      expect(outcomes.filter((outcome) => outcome instanceof Error).length).toBeLessThanOrEqual(1);
      expect(places(), `step ${step}`).toHaveLength(1);
      expect(places()).not.toEqual([placeOf(ada.email)]);
    }
  });

  test("isn't lost if the later of two changes fails midway", async () => {
    for (let step = 1; step <= 8; step++) {
      const { faulty, places, settle } = await begin();
      let seen = 0;
      let second: Promise<unknown> | undefined;
      faulty.before = ({ kind, key }) => {
        if (kind === "write" && key === placeOf("second@example.com")) throw new Error("no");
        if (++seen === step) second = settle("second@example.com");
      };
      await Promise.all([settle("first@example.com"), second]);
      await second;
      expect(places().length, `step ${step}`).toBeGreaterThan(0);
    }
  });

  test("keeps a password that changes at the same time", async () => {
    const passwords = { oldPassword: ada.password, newPassword: "battery staple" };
    for (let step = 1; step <= 2; step++) {
      const { accounts, faulty, change, user } = await begin();
      let seen = 0;
      faulty.before = async ({ key }) => {
        if (key !== placeOf("new@example.com") || ++seen !== step) return;
        expect(await accounts.changePassword({ user, ...passwords }, asked)).toBe(true);
      };
      await change("new@example.com");
      expect(seen).toBeGreaterThanOrEqual(step);
      const credentials = { email: "new@example.com", password: passwords.newPassword };
      const found = await accounts.login(credentials, asked);
      expect(found?.id, `step ${step}`).toBe(user.id);
    }
  });
});

// --- Internal helpers ---

function placeOf(email: string): string {
  return `account:default:${toKeySegment(email)}`;
}
