import { describe, expect, test, vi } from "vitest";
import type { MailMessage } from "../../../rpc/accounts/mailer.ts";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { until } from "../../_documents.ts";
import { createAuth } from "../../_logins.ts";
import { ada, createMailbox, hurryMails, invalidToken, welcome } from "../../_mails.ts";
import { createSetup } from "../../_setup.ts";

const newPassword = "battery staple";

hurryMails();

describe("the token for a new password", () => {
  const { start, startControlled, allowErrors } = createSetup("memory", "request", () => ({
    driver: "memory",
  }));

  async function prepare() {
    const mailbox = createMailbox();
    const { client, ...storefront } = await start(
      { mailer: mailbox.mailer },
      { clock: mailbox.clock },
    );
    const browser = client();
    await browser.call("register", ada);
    await welcome(mailbox);
    const requestToken = async () => {
      await browser.call("requestPasswordReset", { email: ada.email });
      return mailbox.token("resetPassword", ada.email);
    };
    return { ...storefront, client, browser, mailbox, requestToken };
  }

  test("becomes invalid when a newer one is sent", async () => {
    const { browser, requestToken } = await prepare();
    const [older, newer] = [await requestToken(), await requestToken()];
    expect(await browser.call("resetPassword", { token: older, newPassword })).toMatchObject(
      invalidToken,
    );
    expect((await browser.call("resetPassword", { token: newer, newPassword })).status).toBe(204);
  });

  test("expires after 30 minutes", async () => {
    const { browser, mailbox, requestToken } = await prepare();
    const tokens = [await requestToken()];
    await mailbox.clock.advance(30 * 60);
    const late = await browser.call("resetPassword", { token: tokens[0], newPassword });
    expect(late).toMatchObject(invalidToken);
    tokens.push(await requestToken());
    await mailbox.clock.advance(29.9 * 60);
    const inTime = await browser.call("resetPassword", { token: tokens[1], newPassword });
    expect(inTime.status).toBe(204);
  });

  test("becomes invalid when the password changes", async () => {
    const { browser, requestToken, mailbox } = await prepare();
    const token = await requestToken();
    await browser.call("updatePassword", { oldPassword: ada.password, newPassword });
    await mailbox.next("passwordChanged", ada.email);
    const reset = { token, newPassword: "a third password" };
    expect(await browser.call("resetPassword", reset)).toMatchObject(invalidToken);
    expect((await browser.call("login", { ...ada, password: newPassword })).status).toBe(200);
  });

  test("becomes invalid when the email address changes, also if another user gets the address", async () => {
    const { browser, client, requestToken } = await prepare();
    const token = await requestToken();
    expect((await browser.call("updateEmail", { email: "new@example.com" })).status).toBe(200);
    await client().call("register", ada);
    expect(await browser.call("resetPassword", { token, newPassword })).toMatchObject(invalidToken);
    expect((await browser.call("login", ada)).status).toBe(200);
    expect((await browser.call("login", { ...ada, email: "new@example.com" })).status).toBe(200);
  });

  test("stays valid after a password that the server rejects", async () => {
    const { browser, requestToken } = await prepare();
    const token = await requestToken();
    for (const refused of ["2short!", "password123", "ADA@example.com"]) {
      expect(await browser.call("resetPassword", { token, newPassword: refused })).toMatchObject({
        status: 422,
        body: { code: "invalid_input", errors: [{ path: ["newPassword"] }] },
      });
    }
    expect((await browser.call("resetPassword", { token, newPassword })).status).toBe(204);
  });

  test("fails if it is a guess, or a token of another kind or realm", async () => {
    const mailbox = createMailbox();
    const shop = { locale: "de-DE", currency: "EUR" };
    const shops = [
      { ...shop, shopId: 1001, path: "de" },
      { ...shop, shopId: 1002, path: "b2b", realm: "b2b" },
    ];
    const { client } = await start({ mailer: mailbox.mailer, shops }, { clock: mailbox.clock });
    const [browser, elsewhere] = [client(), client(1002)];
    await browser.call("register", ada);
    const verification = await mailbox.token("verifyEmail", ada.email);
    for (const token of [verification, "x", "A".repeat(43), "__proto__"]) {
      const answer = await browser.call("resetPassword", { token, newPassword });
      expect(answer).toMatchObject(invalidToken);
    }
    await browser.call("requestPasswordReset", { email: ada.email });
    const token = await mailbox.token("resetPassword", ada.email);
    expect(await elsewhere.call("resetPassword", { token, newPassword })).toMatchObject(
      invalidToken,
    );
    expect(await browser.call("verifyEmail", { token })).toMatchObject(invalidToken);
    expect((await browser.call("resetPassword", { token, newPassword })).status).toBe(204);
  });

  test("sends a mail that no header of the request changes", async () => {
    const { browser, mailbox } = await prepare();
    const headers = { host: "evil.example", "x-forwarded-host": "evil.example" };
    for (const sent of [{}, headers]) {
      await browser.call("requestPasswordReset", { email: ada.email }, sent);
    }
    const mails = [
      await mailbox.next("resetPassword", ada.email),
      await mailbox.next("resetPassword", ada.email),
    ];
    const [plain, forged] = mails.map((mail) => ({ ...mail, token: "", expiresAt: 0 }));
    expect(forged).toEqual(plain);
    expect(JSON.stringify(mails)).not.toContain("evil");
  });

  test("allows a login again that failed logins had blocked", async () => {
    const { browser, client, requestToken } = await prepare();
    const guesser = client();
    for (let index = 0; index < 10; index++) {
      await guesser.call("login", { ...ada, password: "wrong" });
    }
    expect((await browser.call("login", ada)).status).toBe(429);
    const token = await requestToken();
    await browser.call("resetPassword", { token, newPassword });
    expect((await browser.call("login", { ...ada, password: newPassword })).status).toBe(200);
  });

  test("can't be requested without a mailer, or from an auth that sends none", async () => {
    for (const config of [{}, { auth: createAuth() }]) {
      const browser = (await start(config)).client();
      const payloads = {
        requestPasswordReset: { email: ada.email },
        resetPassword: { token: "x", newPassword },
        requestEmailVerification: { email: ada.email },
        verifyEmail: { token: "x" },
      };
      for (const [method, payload] of Object.entries(payloads)) {
        const answer = await browser.call(method, payload);
        expect(answer).toMatchObject({ status: 404, body: { code: "unknown_method" } });
      }
    }
  });

  test("isn't in the log if the mailer fails, and the response is the same", async () => {
    allowErrors();
    const failure = vi.fn<(message: MailMessage) => Promise<void>>(async (message) => {
      throw new Error(`550 refused: ${JSON.stringify(message)}`);
    });
    const clock = createTestClock();
    const { client, lines } = await start({ mailer: failure }, { clock });
    const browser = client();
    expect((await browser.call("register", ada)).status).toBe(200);
    expect((await browser.call("requestPasswordReset", { email: ada.email })).status).toBe(204);
    await clock.advance(1);
    await until(async () => failure.mock.calls.length === 2);
    await until(async () => lines.filter(({ level }) => level === "error").length === 2);
    const logged = JSON.stringify(lines);
    expect(logged).toContain("550 refused");
    for (const [message] of failure.mock.calls) {
      expect(logged).not.toContain((message as { token: string }).token);
    }
  });

  test("stays valid if the sessions can't end, and nothing has changed then", async () => {
    allowErrors();
    const mailbox = createMailbox();
    const { client, storage } = await startControlled({ mailer: mailbox.mailer }, mailbox.clock);
    const [browser, guest] = [client(), client()];
    await browser.call("register", ada);
    await welcome(mailbox);
    await guest.call("requestPasswordReset", { email: ada.email });
    const token = await mailbox.token("resetPassword", ada.email);
    for (const key of ["session", "user:"]) {
      for (const kind of ["write", "take"] as const) storage.fail(kind, { key });
    }
    const failed = await guest.call("resetPassword", { token, newPassword });
    expect(failed).toMatchObject({ status: 503, body: { code: "storage_unavailable" } });
    storage.heal();
    expect((await guest.call("login", { ...ada, password: newPassword })).status).toBe(401);
    expect((await browser.call("getUser")).body.user).toBeDefined();
    expect((await guest.call("resetPassword", { token, newPassword })).status).toBe(204);
    expect((await browser.call("getUser")).body).toEqual({});
    expect((await guest.call("login", { ...ada, password: newPassword })).status).toBe(200);
  });

  test("goes out before the storefront closes", async () => {
    vi.restoreAllMocks();
    const { app, browser, mailbox } = await prepare();
    await browser.call("requestPasswordReset", { email: ada.email });
    await app.close();
    expect(mailbox.messages.map(({ kind }) => kind)).toEqual(["verifyEmail", "resetPassword"]);
  });
});
