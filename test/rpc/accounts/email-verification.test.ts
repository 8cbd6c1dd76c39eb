import { describe, expect, test } from "vitest";
import { ada, createMailbox, hurryMails, invalidToken } from "../../_mails.ts";
import { createSetup, describeStorages } from "../../_setup.ts";

hurryMails();

describeStorages("an email address", ({ start }) => {
  test("counts as verified after the token that a registration sends, also if the token comes twice", async () => {
    const mailbox = createMailbox();
    const { client } = await start({ mailer: mailbox.mailer }, { clock: mailbox.clock });
    const [browser, guest] = [client(), client()];
    const registered = await browser.call("register", ada);
    expect(registered.body.user).toMatchObject({ emailVerified: false });
    const token = await mailbox.token("verifyEmail", ada.email);
    expect(await guest.call("verifyEmail", { token })).toMatchObject({
      status: 200,
      body: {},
      setCookies: [],
    });
    for (let time = 0; time < 2; time++) {
      const { status, body } = await browser.call("verifyEmail", { token });
      const user = { ...registered.body.user, emailVerified: true };
      expect({ status, body }).toEqual({ status: 200, body: { user } });
      expect((await browser.call("getUser")).body).toEqual({ user });
    }
    expect((await guest.call("login", ada)).body.user).toMatchObject({ emailVerified: true });
  });

  test("must be verified again after a change, and its old owner gets a notice", async () => {
    const mailbox = createMailbox();
    const { client } = await start({ mailer: mailbox.mailer }, { clock: mailbox.clock });
    const browser = client();
    await browser.call("register", ada);
    const old = await mailbox.token("verifyEmail", ada.email);
    const changed = await browser.call("updateEmail", { email: "New@example.com" });
    expect(changed.body.user).toMatchObject({ email: "new@example.com", emailVerified: false });
    await mailbox.next("emailChanged", ada.email);
    const token = await mailbox.token("verifyEmail", "new@example.com");
    expect(await browser.call("verifyEmail", { token: old })).toMatchObject(invalidToken);
    expect((await browser.call("verifyEmail", { token })).body.user).toMatchObject({
      email: "new@example.com",
      emailVerified: true,
    });
  });
});

describe("the token that verifies an email address", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("goes out again on request, and not for a verified or unknown address", async () => {
    const mailbox = createMailbox();
    const { app, client } = await start({ mailer: mailbox.mailer }, { clock: mailbox.clock });
    const browser = client();
    await browser.call("register", ada);
    const old = await mailbox.token("verifyEmail", ada.email);
    const request = (email: string) => client().call("requestEmailVerification", { email });
    expect((await request("nobody@example.com")).status).toBe(204);
    const again = await request(ada.email);
    expect(again).toMatchObject({ status: 204, body: undefined, setCookies: [] });
    const token = await mailbox.token("verifyEmail", ada.email);
    expect(await browser.call("verifyEmail", { token: old })).toMatchObject(invalidToken);
    expect((await browser.call("verifyEmail", { token })).status).toBe(200);
    expect((await request(ada.email)).status).toBe(204);
    await app.close();
    expect(mailbox.messages).toHaveLength(2);
  });

  test("expires after 30 minutes, and fails for another method", async () => {
    const mailbox = createMailbox();
    const { client } = await start({ mailer: mailbox.mailer }, { clock: mailbox.clock });
    const browser = client();
    await browser.call("register", ada);
    const token = await mailbox.token("verifyEmail", ada.email);
    const reset = { token, newPassword: "battery staple" };
    expect(await browser.call("resetPassword", reset)).toMatchObject(invalidToken);
    await mailbox.clock.advance(30 * 60);
    expect(await browser.call("verifyEmail", { token })).toMatchObject(invalidToken);
  });

  test("isn't taken from a GET, because scanners of mails open links", async () => {
    const mailbox = createMailbox();
    const { client } = await start({ mailer: mailbox.mailer }, { clock: mailbox.clock });
    const browser = client();
    await browser.call("register", ada);
    const token = await mailbox.token("verifyEmail", ada.email);
    const query = encodeURIComponent(JSON.stringify({ token }));
    for (const method of ["GET", "HEAD"]) {
      const path = `/de/api/rpc/verifyEmail?payload=${query}`;
      expect((await browser.request(path, { method })).status).toBe(405);
    }
    expect((await browser.call("getUser")).body.user).toMatchObject({ emailVerified: false });
  });

  test("doesn't exist without a mailer, and no user has emailVerified then", async () => {
    const { client } = await start();
    const browser = client();
    expect((await browser.call("register", ada)).body.user).not.toHaveProperty("emailVerified");
    const changed = await browser.call("updateEmail", { email: "new@example.com" });
    expect(changed.body.user).not.toHaveProperty("emailVerified");
  });
});
