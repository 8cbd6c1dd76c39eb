import { afterEach, beforeEach, expect, vi } from "vitest";
import type { MailMessage, TokenMail } from "../rpc/accounts/mailer.ts";
import { createTestClock } from "../server/testing/test-clock.ts";
import { until } from "./_documents.ts";

export const ada = { email: "ada@example.com", password: "correct horse" };

export const invalidToken = { status: 403, body: { code: "invalid_token" } };

/** A `mailer` whose mails a test can read. */
export function createMailbox() {
  const messages: MailMessage[] = [];
  const clock = createTestClock();
  let read = 0;
  return {
    messages,
    /** For the storefront: mails then need no real time. */
    clock,
    mailer: (message: MailMessage): void => void messages.push(message),

    /** Lets a second pass, and waits for the next mail that the test has not read. */
    async next(kind: MailMessage["kind"], to: string): Promise<MailMessage> {
      if (messages.length === read) await clock.advance(1);
      await until(async () => messages.length > read);
      const message = messages[read++] as MailMessage;
      expect(message).toMatchObject({ kind, to });
      return message;
    },

    /** The token of the next mail. */
    async token(kind: TokenMail["kind"], to: string): Promise<string> {
      return ((await this.next(kind, to)) as TokenMail).token;
    },
  };
}

/** Lets work after a response begin after the shortest delay, and so in its order, in all tests of a file. */
export function hurryMails(): void {
  beforeEach(() => void vi.spyOn(Math, "random").mockReturnValue(0));
  afterEach(() => void vi.restoreAllMocks());
}

/** Reads the mail about Ada's new account. */
export async function welcome(mailbox: ReturnType<typeof createMailbox>): Promise<void> {
  await mailbox.next("verifyEmail", ada.email);
}
