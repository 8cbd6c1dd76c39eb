import { createStorage, type Driver } from "unstorage";
import { expect, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { ada, createMailbox, hurryMails, invalidToken, welcome } from "../../_mails.ts";
import { describeStorages } from "../../_setup.ts";

const newPassword = "battery staple";
const invalidCredentials = { status: 401, body: { code: "invalid_credentials" } };

hurryMails();

describeStorages("a forgotten password", ({ start, storage }) => {
  test("changes by the token of a mail, which ends all sessions and logs nobody in", async () => {
    const mailbox = createMailbox();
    const { client } = await start({ mailer: mailbox.mailer });
    const [phone, elsewhere, guest] = [client(), client(1002), client()];
    await phone.call("register", { ...ada, firstName: "Ada" });
    await welcome(mailbox);
    await elsewhere.call("login", ada);
    await guest.call("addItemToBasket", { variantId: 7, quantity: 2 });
    const requested = await guest.call("requestPasswordReset", { email: " Ada@Example.com" });
    expect(requested).toMatchObject({ status: 204, setCookies: [] });
    const mail = await mailbox.next("resetPassword", ada.email);
    expect(mail).toEqual({
      kind: "resetPassword",
      to: ada.email,
      shop: expect.objectContaining({ shopId: 1001, path: "de" }),
      locale: "de-DE",
      user: expect.objectContaining({ email: ada.email, firstName: "Ada" }),
      token: expect.stringMatching(/^[\w-]{43}$/),
      expiresAt: expect.any(Number),
    });
    const { token } = mail as { token: string };
    expect((await phone.call("getUser")).body.user).toBeDefined();
    const reset = await guest.call("resetPassword", { token, newPassword });
    expect(reset).toMatchObject({ status: 204, setCookies: [] });
    for (const ended of [phone, elsewhere]) {
      expect((await ended.call("getUser")).body).toEqual({});
    }
    expect((await guest.call("getUser")).body).toEqual({});
    expect((await guest.call("getBasket")).body.basket.itemCount).toBe(2);
    expect(await phone.call("login", ada)).toMatchObject(invalidCredentials);
    const login = await guest.call("login", { ...ada, password: newPassword });
    expect(login.body.user).toMatchObject({ firstName: "Ada", emailVerified: true });
    await mailbox.next("passwordChanged", ada.email);
  });

  test("ends the session of the visitor who sets the new password, if it is the user's own", async () => {
    const mailbox = createMailbox();
    const { client } = await start({ mailer: mailbox.mailer });
    const [browser, eve] = [client(), client()];
    await browser.call("register", ada);
    await welcome(mailbox);
    await eve.call("register", { ...ada, email: "eve@example.com" });
    await mailbox.next("verifyEmail", "eve@example.com");
    for (const visitor of [eve, browser]) {
      await browser.call("requestPasswordReset", { email: ada.email });
      const token = await mailbox.token("resetPassword", ada.email);
      expect((await visitor.call("resetPassword", { token, newPassword })).status).toBe(204);
      await mailbox.next("passwordChanged", ada.email);
      await browser.call("login", { ...ada, password: newPassword });
    }
    expect((await eve.call("getUser")).body.user).toMatchObject({ email: "eve@example.com" });
    await browser.call("requestPasswordReset", { email: ada.email });
    const token = await mailbox.token("resetPassword", ada.email);
    const { setCookies } = await browser.call("resetPassword", { token, newPassword });
    expect(setCookies).toEqual([expect.stringContaining("Max-Age=0")]);
    expect(browser.sessionId).toBeUndefined();
  });

  test("takes a token once, also from parallel calls to two servers", async () => {
    const mailbox = createMailbox();
    const shared = { mailer: mailbox.mailer, storage: { session: openDriver(storage()) } };
    const servers = [await start(shared), await start(shared)];
    const visitors = servers.map(({ client }) => client());
    await visitors[0]?.call("register", ada);
    await welcome(mailbox);
    await visitors[0]?.call("requestPasswordReset", { email: ada.email });
    const token = await mailbox.token("resetPassword", ada.email);
    const passwords = ["first new one", "second new one"];
    const answers = await Promise.all(
      visitors.map((visitor, index) =>
        visitor.call("resetPassword", { token, newPassword: passwords[index] }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 403]);
    const winner = answers.findIndex(({ status }) => status === 204);
    const logins = passwords.map((password) => visitors[0]?.call("login", { ...ada, password }));
    const statuses = (await Promise.all(logins)).map((login) => login?.status);
    expect(statuses[winner]).toBe(200);
    expect(statuses[1 - winner]).toBe(401);
    const again = await visitors[0]?.call("resetPassword", {
      token,
      newPassword: passwords[winner],
    });
    expect(again).toMatchObject(invalidToken);
  });

  test("stores and logs no token", async () => {
    const mailbox = createMailbox();
    const driver = openDriver(storage());
    const { client, lines } = await start({
      mailer: mailbox.mailer,
      storage: { session: driver },
    });
    const browser = client();
    await browser.call("register", ada);
    const tokens = [await mailbox.token("verifyEmail", ada.email)];
    await browser.call("requestPasswordReset", { email: ada.email });
    tokens.push(await mailbox.token("resetPassword", ada.email));
    await browser.call("resetPassword", { token: tokens[1], newPassword: "1" });
    await browser.call("resetPassword", { token: [tokens[1]], newPassword });
    const texts = [await dump(driver), JSON.stringify(lines)];
    for (const token of tokens) for (const text of texts) expect(text).not.toContain(token);
  });
});

/** All keys and values in a storage. */
async function dump(driver: Driver): Promise<string> {
  const storage = createStorage({ driver });
  const keys = await storage.getKeys();
  const values = await Promise.all(keys.map((key) => storage.getItemRaw<unknown>(key)));
  return [...keys, ...values.map(String)].join("\n");
}
