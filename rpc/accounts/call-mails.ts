import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Visit } from "../commerce/visit.ts";
import { createVisit } from "../commerce/visitor.ts";
import type { CallSession } from "../session/call-session.ts";
import { sendMail, type NoticeMail } from "./mailer.ts";

/** The mails that a call sends. All of them leave after its response. */
export function createCallMails(session: CallSession) {
  const { call } = session;
  const { auth, mailer, shop } = call.services;

  /** Runs a function of the accounts that sends a mail to an address. */
  function send(
    request: (request: { readonly email: string }, visit: Visit) => Promise<void>,
    email: string,
  ): void {
    call.runAfterResponse("A mail to a customer", (signal) =>
      request.call(auth, { email }, createVisit(session, { signal })),
    );
  }

  return {
    send,

    /** Sends the token that verifies a new address. Accounts elsewhere do that themselves. */
    verify({ email }: ShopUser): void {
      if (mailer === undefined || email === undefined) return;
      if (auth.requestEmailVerification !== undefined) send(auth.requestEmailVerification, email);
    },

    /** Notifies the owner of an account. Accounts elsewhere do that themselves. */
    notify(kind: NoticeMail["kind"], user: ShopUser): void {
      const { email: to } = user;
      if (mailer === undefined || to === undefined) return;
      const message = { kind, to, shop, locale: shop.locale, user };
      call.runAfterResponse("A mail to a customer", () => sendMail(mailer, message, call.log));
    },
  };
}
