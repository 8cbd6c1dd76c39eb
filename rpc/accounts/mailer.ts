import { describeError, type Logger } from "../../shared/log.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import { Redactor } from "../redaction/redactor.ts";
import type { PublicShop } from "../shop.ts";

/** A mail to a customer of the built-in accounts. Its `kind` says which one. */
export type MailMessage = TokenMail | NoticeMail;

/** A mail with a token, which the customer's page sends to the method of the same name. */
export interface TokenMail extends Addressed {
  readonly kind: "resetPassword" | "verifyEmail";
  /** A secret: 43 characters of base64url. The server itself stores only its hash. */
  readonly token: string;
  /** When the token expires, in epoch milliseconds. */
  readonly expiresAt: number;
}

/**
 * A mail about a change of the account, so that its owner notices a change by somebody else (OWASP ASVS 5.0, 6.3.7).
 * The mail of `emailChanged` goes to the old address.
 */
export interface NoticeMail extends Addressed {
  readonly kind: "passwordChanged" | "emailChanged";
}

/**
 * Sends a mail. It decides the text and the links: no part of a message comes from the request of a call, except the
 * customer's address and name. Calls don't wait for it, and the server logs its errors.
 */
export type Mailer = (message: MailMessage) => void | Promise<void>;

/** Sends a mail, and logs an error of the mailer. Neither the log nor the caller gets the token. */
export async function sendMail(mailer: Mailer, message: MailMessage, log: Logger): Promise<void> {
  try {
    await mailer(message);
  } catch (error) {
    const { kind, user } = message;
    const token = "token" in message ? [message.token] : [];
    const details = { kind, userId: user.id, error: describeError(error) };
    new Redactor(() => token)
      .guard(log)
      .error("The mailer failed, so a mail was not sent", details);
  }
}

// --- Internal helpers ---

interface Addressed {
  /** The email address. */
  readonly to: string;
  readonly shop: PublicShop;
  /** The language of the shop, for example `de-DE`. */
  readonly locale: string;
  readonly user: ShopUser;
}
