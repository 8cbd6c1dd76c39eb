import { createStorage, type Driver } from "unstorage";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Auth } from "../../../rpc/accounts/auth.ts";
import { RpcError } from "../../../rpc/error.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { createFaultyDriver, Gate, outage } from "../../_faulty-driver.ts";
import { createMatrix, describeMatrix } from "../../_setup.ts";
import { retired } from "../../_sessions.ts";

const ada = { email: "ada@example.com", password: "correct horse" };
const invalidCredentials = { status: 401, body: { code: "invalid_credentials" } };

/** The operator's own customers. */
function createAuth(): {
  [Name in keyof Auth]-?: ReturnType<typeof vi.fn<Required<Auth>[Name]>>;
} {
  return {
    login: vi.fn<Auth["login"]>(async ({ password }) =>
      password === "right" ? { id: 7, email: ada.email } : undefined,
    ),
    register: vi.fn<Auth["register"]>(async ({ email }) => {
      if (email === "taken@example.com") throw new RpcError("email_taken");
      return { id: 8, email };
    }),
    changePassword: vi.fn<Auth["changePassword"]>(
      async ({ oldPassword }) => oldPassword === "right",
    ),
    changeEmail: vi.fn<Required<Auth>["changeEmail"]>(async ({ user, email }) => ({
      ...user,
      email,
    })),
    updateUser: vi.fn<Required<Auth>["updateUser"]>(async ({ user, profile }) => ({
      ...user,
      ...profile,
      lastName: "as kept",
    })),
  };
}

/** All keys and values that lie in a storage. */
async function dump(driver: Driver): Promise<string> {
  const storage = createStorage({ driver });
  const keys = await storage.getKeys();
  const values = await Promise.all(keys.map((key) => storage.getItemRaw<unknown>(key)));
  return [...keys, ...values.map(String)].join("\n");
}

describeMatrix("accounts", ({ start, storage }) => {
  test("who has registered is logged in, and can log in again in every shop of the realm", async () => {
    const { visitor } = await start();
    const [browser, elsewhere] = [visitor(1001), visitor(1002)];
    const registered = await browser.call("register", {
      ...ada,
      firstName: " Ada ",
      lastName: "L",
    });
    const user = {
      id: expect.any(String),
      email: "ada@example.com",
      firstName: "Ada",
      lastName: "L",
    };
    expect(registered.body).toEqual({ user, merge: { status: "none", lines: [] } });
    expect((await browser.call("getUser")).body).toEqual({ user: registered.body.user });
    expect((await browser.call("logout")).status).toBe(204);
    expect((await browser.call("getUser")).body).toEqual({});
    // However the address is spelled.
    const login = await elsewhere.call("login", { ...ada, email: "ADA@Example.com" });
    expect(login).toMatchObject({ status: 200, body: { user: registered.body.user } });
    expect(elsewhere.sessionId?.startsWith(`${registered.body.user.id}:`)).toBe(true);
  });

  test("a wrong password and an unknown address are answered alike", async () => {
    const { visitor } = await start();
    const browser = visitor();
    await browser.call("register", ada);
    const guest = visitor();
    const wrong = await guest.call("login", { ...ada, password: "Correct horse" });
    const unknown = await guest.call("login", { ...ada, email: "eve@example.com" });
    expect(wrong).toMatchObject(invalidCredentials);
    expect(unknown.body).toEqual(wrong.body);
    expect([...unknown.headers.keys()]).toEqual([...wrong.headers.keys()]);
    expect(guest.sessionId).toBeUndefined();
  });

  test("of two who register one address at once, one wins", async () => {
    const { visitor } = await start();
    const browsers = [visitor(), visitor(1002)];
    const emails = ["ada@example.com", "Ada@EXAMPLE.com"];
    const answers = await Promise.all(
      browsers.map((browser, index) => browser.call("register", { ...ada, email: emails[index] })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const loser = answers.findIndex(({ status }) => status === 409);
    expect(answers[loser]?.body.code).toBe("email_taken");
    expect((await browsers[loser]?.call("getUser"))?.body).toEqual({});
  });

  test("a new password ends the user's other sessions, and gives this one a new id", async () => {
    const { visitor } = await start();
    const [browser, phone, elsewhere] = [visitor(), visitor(), visitor(1002)];
    await browser.call("register", ada);
    await browser.call("addItemToBasket", { variantId: 7, quantity: 2 });
    for (const device of [phone, elsewhere]) await device.call("login", ada);
    const old = browser.clone();
    const wrong = { oldPassword: "Correct horse", newPassword: "battery staple" };
    expect(await browser.call("updatePassword", wrong)).toMatchObject({
      status: 403,
      body: { code: "wrong_password", errors: [{ path: ["oldPassword"] }] },
    });
    expect(browser.sessionId).toBe(old.sessionId);
    expect((await elsewhere.call("getUser")).body.user).toBeDefined();
    const right = { oldPassword: ada.password, newPassword: "battery staple" };
    const answer = await browser.call("updatePassword", right);
    expect(answer).toMatchObject({ status: 200, body: { user: { email: ada.email } } });
    expect(browser.sessionId).not.toBe(old.sessionId);
    for (const ended of [phone, elsewhere]) {
      expect((await ended.call("getUser")).body).toEqual({});
    }
    expect(await old.call("getUser")).toMatchObject(retired);
    expect((await browser.call("listSessions")).body.sessions).toMatchObject([{ current: true }]);
    expect((await browser.call("getBasket")).body.basket.itemCount).toBe(2);
    expect(await phone.call("login", ada)).toMatchObject(invalidCredentials);
    expect((await phone.call("login", { ...ada, password: "battery staple" })).status).toBe(200);
  });

  test("no password lies in the storage, nor in the log", async () => {
    const driver = openDriver(storage());
    const { visitor, lines } = await start({ storage: { session: driver } });
    const browser = visitor();
    const passwords = { oldPassword: "correct horse", newPassword: "battery staple" };
    await browser.call("register", ada);
    await browser.call("register", ada);
    await browser.call("register", { ...ada, email: "correct horse" });
    await browser.call("login", { ...ada, password: "incorrect horse" });
    await browser.call("login", { ...ada, secret: "correct horse" });
    await browser.call("updatePassword", { ...passwords, oldPassword: "incorrect horse" });
    expect((await browser.call("updatePassword", passwords)).status).toBe(200);
    const stored = await dump(driver);
    expect(stored).toContain("$scrypt$");
    for (const text of [stored, JSON.stringify(lines)]) {
      expect(text).not.toMatch(/horse|battery staple/);
    }
  });
});

describe("accounts, in detail", () => {
  const { allowErrors, start } = createMatrix("memory", "request", () => ({ driver: "memory" }));

  test("a changed profile shows at once, and at the next login", async () => {
    const { visitor } = await start();
    const [browser, phone] = [visitor(), visitor()];
    await browser.call("register", { ...ada, firstName: "Ada", lastName: "Byron" });
    const { body } = await browser.call("updateUser", { lastName: "Lovelace" });
    expect(body.user).toMatchObject({ email: ada.email, firstName: "Ada", lastName: "Lovelace" });
    expect((await browser.call("getUser")).body).toEqual(body);
    expect((await phone.call("login", ada)).body.user).toEqual(body.user);
  });

  test("a profile can hold names only, and a guest has none", async () => {
    const { visitor } = await start();
    const [browser, guest] = [visitor(), visitor()];
    const { user } = (await browser.call("register", ada)).body;
    const refused = [{}, { id: 1 }, { email: "eve@example.com" }, { firstName: " " }, undefined];
    for (const profile of [...refused, { firstName: "x".repeat(101) }, { lastName: null }]) {
      const answer = await browser.call("updateUser", profile);
      expect(answer).toMatchObject({ status: 422, body: { code: "invalid_input" } });
    }
    expect((await browser.call("getUser")).body).toEqual({ user });
    const notLoggedIn = { status: 401, body: { code: "not_logged_in" } };
    expect(await guest.call("updateUser", { firstName: "Eve" })).toMatchObject(notLoggedIn);
    const passwords = { oldPassword: ada.password, newPassword: "battery staple" };
    expect(await guest.call("updatePassword", passwords)).toMatchObject(notLoggedIn);
  });

  test("a password holds for good", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const { visitor } = await start();
    await visitor().call("register", ada);
    vi.setSystemTime(Date.now() + 10 * 365 * 86_400_000);
    expect((await visitor().call("login", ada)).status).toBe(200);
  });

  test("an address is one, and nothing else may come with it", async () => {
    const { visitor } = await start();
    const guest = visitor();
    const emails = ["", "ada", "ada@", "@example.com", "a b@example.com", null, 1, ["a@b.de"], {}];
    for (const email of [...emails, `${"a".repeat(250)}@example.com`]) {
      for (const method of ["login", "register"]) {
        const answer = await guest.call(method, { ...ada, email });
        expect(answer).toMatchObject({ status: 422, body: { code: "invalid_input" } });
        expect(answer.body.errors).toContainEqual(expect.objectContaining({ path: ["email"] }));
      }
    }
    for (const stray of [{ id: 1 }, { admin: true }, { user: { id: 1 } }]) {
      for (const method of ["login", "register"]) {
        expect((await guest.call(method, { ...ada, ...stray })).status).toBe(422);
      }
    }
  });

  test("shops of another realm know nothing of an account", async () => {
    const { visitor } = await start({
      shops: [
        { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de" },
        { shopId: 1002, locale: "en-US", currency: "USD", path: "us", realm: "other" },
      ],
    });
    const [browser, elsewhere] = [visitor(1001), visitor(1002)];
    const { user } = (await browser.call("register", ada)).body;
    expect(await elsewhere.call("login", ada)).toMatchObject(invalidCredentials);
    const registered = await elsewhere.call("register", { ...ada, password: "another one" });
    expect(registered.status).toBe(200);
    expect(registered.body.user.id).not.toBe(user.id);
    expect((await browser.call("login", ada)).body.user).toEqual(user);
  });

  test("an operator's own system is asked instead, and is told shop and realm", async () => {
    const auth = createAuth();
    const { visitor } = await start({ auth });
    const browser = visitor(1002);
    const context = expect.objectContaining({
      shop: expect.objectContaining({ shopId: 1002 }),
      realm: "default",
      signal: expect.any(AbortSignal),
    });
    expect(await browser.call("login", { ...ada, password: "wrong" })).toMatchObject(
      invalidCredentials,
    );
    const login = { email: ada.email, password: "right" };
    expect((await browser.call("login", { ...login, rememberMe: true })).body.user.id).toBe(7);
    expect(auth.login).toHaveBeenLastCalledWith(login, context);
    expect(browser.sessionId).toMatch(/^7:/);
    expect((await browser.call("updateUser", { firstName: "Ada" })).body.user).toEqual({
      id: 7,
      email: ada.email,
      firstName: "Ada",
      lastName: "as kept",
    });
    const passwords = { oldPassword: "wrong", newPassword: "battery staple" };
    expect((await browser.call("updatePassword", passwords)).status).toBe(403);
    const right = { ...passwords, oldPassword: "right" };
    expect((await browser.call("updatePassword", right)).status).toBe(200);
    const user = expect.objectContaining({ id: 7, firstName: "Ada" });
    expect(auth.changePassword).toHaveBeenLastCalledWith({ user, ...right }, context);
    const taken = { email: "taken@example.com", password: "long enough" };
    expect((await browser.call("register", taken)).body.code).toBe("email_taken");
    expect(
      (await browser.call("register", { ...taken, email: "new@example.com" })).body.user.id,
    ).toBe(8);
  });

  test("without updateUser of the operator's, a profile lasts as long as the session", async () => {
    const { updateUser: _, ...auth } = createAuth();
    const { visitor } = await start({ auth });
    const browser = visitor();
    await browser.call("login", { email: ada.email, password: "right" });
    const user = { id: 7, email: ada.email, firstName: "Ada" };
    expect((await browser.call("updateUser", { firstName: "Ada" })).body).toEqual({ user });
    expect((await browser.call("getUser")).body).toEqual({ user });
    await browser.call("login", { email: ada.email, password: "right" });
    expect((await browser.call("getUser")).body.user.firstName).toBeUndefined();
  });

  test("what changes while a password is changed is kept under the new id", async () => {
    const { updateUser: _, ...auth } = createAuth();
    const gate = new Gate();
    auth.changePassword.mockImplementation(async () => {
      await gate.pass();
      return true;
    });
    const { visitor } = await start({ auth });
    const browser = visitor();
    await browser.call("login", { email: ada.email, password: "right" });
    const tab = browser.clone();
    const passwords = { oldPassword: "right", newPassword: "battery staple" };
    const changing = browser.call("updatePassword", passwords);
    await gate.reached;
    expect((await tab.call("updateUser", { firstName: "Ada" })).status).toBe(200);
    gate.open();
    expect((await changing).status).toBe(200);
    expect((await browser.call("getUser")).body.user.firstName).toBe("Ada");
  });

  test("a login that is not to be remembered ends with the browser", async () => {
    const { visitor } = await start({ auth: createAuth() });
    const browser = visitor();
    const credentials = { email: ada.email, password: "right" };
    const [kept] = (await browser.call("login", credentials)).setCookies;
    expect(kept).toContain("Max-Age=86400");
    const [brief] = (await browser.call("login", { ...credentials, rememberMe: false })).setCookies;
    expect(brief).not.toContain("Max-Age");
  });

  test("a logout that the storage refuses leaves the cookie, so that it can be tried again", async () => {
    allowErrors();
    const faulty = createFaultyDriver();
    const { visitor } = await start({ auth: createAuth(), storage: { session: faulty.driver } });
    const browser = visitor();
    await browser.call("login", { email: ada.email, password: "right" });
    faulty.before = ({ kind }) => kind !== "read" && outage();
    expect(await browser.call("logout")).toMatchObject({ status: 503, setCookies: [] });
    faulty.heal();
    expect((await browser.call("getUser")).body.user).toMatchObject({ id: 7 });
    expect((await browser.call("logout")).status).toBe(204);
    expect((await browser.call("getUser")).body).toEqual({});
  });
});
