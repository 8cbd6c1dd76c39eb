import { createStorage, type Driver } from "unstorage";
import { describe, expect, test } from "vitest";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { createSetup, describeStorages } from "../../_setup.ts";
import { retired } from "../../_sessions.ts";

const ada = { email: "ada@example.com", password: "correct horse" };
const invalidCredentials = { status: 401, body: { code: "invalid_credentials" } };

/** All keys and values of a storage. */
async function dump(driver: Driver): Promise<string> {
  const storage = createStorage({ driver });
  const keys = await storage.getKeys();
  const values = await Promise.all(keys.map((key) => storage.getItemRaw<unknown>(key)));
  return [...keys, ...values.map(String)].join("\n");
}

describeStorages("accounts", ({ start, storage }) => {
  test("log a new customer in, and again in every shop of the realm", async () => {
    const { client } = await start();
    const [browser, elsewhere] = [client(1001), client(1002)];
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

  test("respond to a wrong password as to an unknown email address", async () => {
    const { client } = await start();
    const browser = client();
    await browser.call("register", ada);
    const guest = client();
    const wrong = await guest.call("login", { ...ada, password: "Correct horse" });
    const unknown = await guest.call("login", { ...ada, email: "eve@example.com" });
    expect(wrong).toMatchObject(invalidCredentials);
    expect(unknown.body).toEqual(wrong.body);
    expect([...unknown.headers.keys()]).toEqual([...wrong.headers.keys()]);
    expect(guest.sessionId).toBeUndefined();
  });

  test("let one of two parallel registrations of an email address win", async () => {
    const { client } = await start();
    const browsers = [client(), client(1002)];
    const emails = ["ada@example.com", "Ada@EXAMPLE.com"];
    const answers = await Promise.all(
      browsers.map((browser, index) => browser.call("register", { ...ada, email: emails[index] })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const loser = answers.findIndex(({ status }) => status === 409);
    expect(answers[loser]?.body.code).toBe("email_taken");
    expect((await browsers[loser]?.call("getUser"))?.body).toEqual({});
  });

  test("end the user's other sessions after a new password, and give this one a new ID", async () => {
    const { client } = await start();
    const [browser, phone, elsewhere] = [client(), client(), client(1002)];
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

  test("store and log no password", async () => {
    const driver = openDriver(storage());
    const { client, lines } = await start({ storage: { session: driver } });
    const browser = client();
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

describe("built-in accounts", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("show a changed profile immediately, and at the next login", async () => {
    const { client } = await start();
    const [browser, phone] = [client(), client()];
    await browser.call("register", { ...ada, firstName: "Ada", lastName: "Byron" });
    const { body } = await browser.call("updateUser", { lastName: "Lovelace" });
    expect(body.user).toMatchObject({ email: ada.email, firstName: "Ada", lastName: "Lovelace" });
    expect((await browser.call("getUser")).body).toEqual(body);
    expect((await phone.call("login", ada)).body.user).toEqual(body.user);
  });

  test("accept names only in a profile, and no profile of a guest", async () => {
    const { client } = await start();
    const [browser, guest] = [client(), client()];
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

  test("keep a password for ten years", async () => {
    const clock = createTestClock();
    const { client } = await start({}, { clock });
    await client().call("register", ada);
    await clock.advance(10 * 365 * 86_400);
    expect((await client().call("login", ada)).status).toBe(200);
  });

  test("accept one valid email address, and no other field", async () => {
    const { client } = await start();
    const guest = client();
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

  test("hide an account from shops of another realm", async () => {
    const { client } = await start({
      shops: [
        { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de" },
        { shopId: 1002, locale: "en-US", currency: "USD", path: "us", realm: "other" },
      ],
    });
    const [browser, elsewhere] = [client(1001), client(1002)];
    const { user } = (await browser.call("register", ada)).body;
    expect(await elsewhere.call("login", ada)).toMatchObject(invalidCredentials);
    const registered = await elsewhere.call("register", { ...ada, password: "another one" });
    expect(registered.status).toBe(200);
    expect(registered.body.user.id).not.toBe(user.id);
    expect((await browser.call("login", ada)).body.user).toEqual(user);
  });
});
