import { describe, expect, test, vi } from "vitest";
import type { Auth } from "../../../rpc/accounts/auth.ts";
import { RpcError } from "../../../rpc/error.ts";
import { Barrier } from "../../_faulty-driver.ts";
import { createSetup } from "../../_setup.ts";

const ada = { email: "ada@example.com", password: "correct horse" };
const invalidCredentials = { status: 401, body: { code: "invalid_credentials" } };

/** An `auth` of a config, with customers of its own. */
function createAuth(): {
  [Name in "login" | "register" | "changePassword" | "changeEmail" | "updateUser"]: ReturnType<
    typeof vi.fn<Required<Auth>[Name]>
  >;
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

describe("an auth of the config", () => {
  const { allowErrors, start, startControlled } = createSetup("memory", "request", () => ({
    driver: "memory",
  }));

  test("replaces the built-in accounts, and receives the shop and the realm", async () => {
    const auth = createAuth();
    const { client } = await start({ auth });
    const browser = client(1002);
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

  test("keeps a profile as long as the session if it has no updateUser", async () => {
    const { updateUser: _, ...auth } = createAuth();
    const { client } = await start({ auth });
    const browser = client();
    await browser.call("login", { email: ada.email, password: "right" });
    const user = { id: 7, email: ada.email, firstName: "Ada" };
    expect((await browser.call("updateUser", { firstName: "Ada" })).body).toEqual({ user });
    expect((await browser.call("getUser")).body).toEqual({ user });
    await browser.call("login", { email: ada.email, password: "right" });
    expect((await browser.call("getUser")).body.user.firstName).toBeUndefined();
  });

  test("checks the password of a user with verifyPassword, without a login", async () => {
    const auth = createAuth();
    const verifyPassword = vi.fn<Required<Auth>["verifyPassword"]>(
      async ({ password }) => password === "right",
    );
    const { client } = await start({ auth: { ...auth, verifyPassword } });
    const browser = client();
    await browser.call("login", { email: ada.email, password: "right" });
    expect((await browser.call("reauthenticate", { password: "right" })).status).toBe(204);
    const refused = await browser.call("reauthenticate", { password: "wrong" });
    expect(refused).toMatchObject({ status: 403, body: { code: "wrong_password" } });
    const user = expect.objectContaining({ id: 7 });
    const visit = expect.objectContaining({ realm: "default", user });
    expect(verifyPassword).toHaveBeenLastCalledWith({ user, password: "wrong" }, visit);
    expect(auth.login).toHaveBeenCalledTimes(1);
  });

  test("keeps changes of a parallel call under the new ID after a new password", async () => {
    const { updateUser: _, ...auth } = createAuth();
    const barrier = new Barrier();
    auth.changePassword.mockImplementation(async () => {
      await barrier.pass();
      return true;
    });
    const { client } = await start({ auth });
    const browser = client();
    await browser.call("login", { email: ada.email, password: "right" });
    const tab = browser.clone();
    const passwords = { oldPassword: "right", newPassword: "battery staple" };
    const changing = browser.call("updatePassword", passwords);
    await barrier.reached;
    expect((await tab.call("updateUser", { firstName: "Ada" })).status).toBe(200);
    barrier.open();
    expect((await changing).status).toBe(200);
    expect((await browser.call("getUser")).body.user.firstName).toBe("Ada");
  });

  test("ends a login with the browser if rememberMe is false", async () => {
    const { client } = await start({ auth: createAuth() });
    const browser = client();
    const credentials = { email: ada.email, password: "right" };
    const [kept] = (await browser.call("login", credentials)).setCookies;
    expect(kept).toContain("Max-Age=86400");
    const [brief] = (await browser.call("login", { ...credentials, rememberMe: false })).setCookies;
    expect(brief).not.toContain("Max-Age");
  });

  test("keeps the cookie if the storage fails at a logout, so that it can be repeated", async () => {
    allowErrors();
    const { client, storage } = await startControlled({ auth: createAuth() });
    const browser = client();
    await browser.call("login", { email: ada.email, password: "right" });
    for (const kind of ["write", "take"] as const) storage.fail(kind);
    expect(await browser.call("logout")).toMatchObject({ status: 503, setCookies: [] });
    storage.heal();
    expect((await browser.call("getUser")).body.user).toMatchObject({ id: 7 });
    expect((await browser.call("logout")).status).toBe(204);
    expect((await browser.call("getUser")).body).toEqual({});
  });
});
