import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Auth } from "../../../rpc/accounts/auth.ts";
import { until } from "../../_documents.ts";
import { Barrier } from "../../_faulty-driver.ts";
import { clientAt, createAuth } from "../../_logins.ts";
import { ada, createMailbox, hurryMails, invalidToken, welcome } from "../../_mails.ts";
import { createSetup } from "../../_setup.ts";

const newPassword = "battery staple";

hurryMails();

describe("a request for a new password", () => {
  const { start, startControlled, allowErrors } = createSetup("memory", "request", () => ({
    driver: "memory",
  }));

  test("gets the same response after the same work, whether or not the account exists", async () => {
    const mailbox = createMailbox();
    const { client, storage } = await startControlled({ mailer: mailbox.mailer }, mailbox.clock);
    await client().call("register", ada);
    await welcome(mailbox);
    // The first call of a process also fills caches.
    await client().call("requestPasswordReset", { email: "first@example.com" });
    const answers = [];
    for (const email of ["nobody@example.com", ada.email, "someone@example.com", ada.email]) {
      const before = storage.operations.length;
      const { status, body, headers } = await client().call("requestPasswordReset", { email });
      const work = storage.operations.slice(before).map(({ kind }) => kind);
      answers.push({ status, body, headers: [...headers], work });
    }
    const [first] = answers;
    expect(answers).toEqual([first, first, first, first]);
    expect(first).toMatchObject({ status: 204, body: undefined });
    expect(mailbox.messages.map(({ kind }) => kind)).toEqual(["verifyEmail"]);
  });

  test("doesn't wait for the mailer, or for the accounts of a commerce system", async () => {
    const barrier = new Barrier();
    const mails: string[] = [];
    const requestPasswordReset = vi.fn<Required<Auth>["requestPasswordReset"]>(
      async ({ email }, { signal }) => {
        expect(signal.aborted).toBe(false);
        await barrier.pass();
        mails.push(email);
      },
    );
    const { client } = await start({ auth: createAuth({ requestPasswordReset }) });
    expect((await client().call("requestPasswordReset", { email: ada.email })).status).toBe(204);
    expect(mails).toEqual([]);
    await barrier.reached;
    barrier.open();
    await until(async () => mails.length === 1);
  });

  test("counts for the account, known or not, and for the IP address", async () => {
    const mailbox = createMailbox();
    const storefront = await start({
      mailer: mailbox.mailer,
      loginAttempts: { perAccount: 2, perAddress: 3 },
    });
    await storefront.client().call("register", ada);
    await welcome(mailbox);
    const request = async (ip: string, email: string, method = "requestPasswordReset") => {
      const { status, body, headers } = await clientAt(ip, storefront).call(method, { email });
      return status === 429 ? [body.code, Number(headers.get("retry-after")) > 0] : status;
    };
    const limited = ["too_many_attempts", true];
    for (const [index, email] of [ada.email, "nobody@example.com"].entries()) {
      const ip = `203.0.113.${index}`;
      expect(await request(ip, email)).toBe(204);
      expect(await request(ip, email, "requestEmailVerification")).toBe(204);
      expect(await request(ip, email)).toEqual(limited);
      const respelled = email.toUpperCase();
      expect(await request(ip, respelled, "requestEmailVerification")).toEqual(limited);
      expect(await request(ip, `a-${email}`)).toBe(204);
      expect(await request(ip, `b-${email}`)).toEqual(limited);
      expect(await request("203.0.113.9", `b-${email}`)).toBe(204);
    }
  });

  test("can wait with many others, and each mail is sent when the storefront closes", async () => {
    vi.restoreAllMocks();
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const sent: string[] = [];
    const requestPasswordReset = async ({ email }: { email: string }) => void sent.push(email);
    const { app, client } = await start({ auth: createAuth({ requestPasswordReset }) });
    const emails = Array.from({ length: 30 }, (_, index) => `${index}@example.com`);
    await Promise.all(emails.map((email) => client().call("requestPasswordReset", { email })));
    await app.close();
    expect(sent.toSorted()).toEqual(emails.toSorted());
    expect(warnings).toEqual([]);
  });

  test("keeps a worker running until its mail is sent", async () => {
    const mailbox = createMailbox();
    const { app, client } = await start({ mailer: mailbox.mailer });
    await client().call("register", ada);
    await welcome(mailbox);
    const works: Promise<unknown>[] = [];
    const request = new Request("http://localhost/de/api/rpc/requestPasswordReset", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ payload: { email: ada.email } }),
    });
    const waitUntil = (work: Promise<unknown>) => void works.push(work);
    expect((await app.fetch(Object.assign(request, { waitUntil }))).status).toBe(204);
    await Promise.all(works);
    expect(works).toHaveLength(1);
    expect(mailbox.messages).toHaveLength(2);
  });

  test("logs an error of a commerce system, and its resetPassword ends the user's sessions", async () => {
    allowErrors();
    const auth = createAuth({
      requestPasswordReset: () => Promise.reject(new Error("The system is down")),
      resetPassword: async ({ token }) =>
        token === "right" ? { id: "ada", email: ada.email } : undefined,
    });
    const { client, lines } = await start({ auth });
    const [browser, guest] = [client(), client()];
    await browser.call("login", { ...ada, password: "right" });
    expect((await guest.call("requestPasswordReset", { email: ada.email })).status).toBe(204);
    await until(async () => JSON.stringify(lines).includes("The system is down"));
    const wrong = { token: "wrong", newPassword };
    expect(await guest.call("resetPassword", wrong)).toMatchObject(invalidToken);
    expect((await browser.call("getUser")).body.user).toBeDefined();
    expect((await guest.call("resetPassword", { token: "right", newPassword })).status).toBe(204);
    expect((await browser.call("getUser")).body).toEqual({});
  });
});
