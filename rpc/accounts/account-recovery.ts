import type { ShopUser } from "../../storage/sessions/session-record.ts";
import { assertInTime, toAccountKey } from "./account-documents.ts";
import type { Account, AccountDocuments } from "./account-documents.ts";
import { hashToken, isCurrent, openAccountTokens } from "./account-tokens.ts";
import { assertNotAddress } from "./address-rule.ts";
import type { Auth } from "./auth.ts";
import { sendMail, type Mailer, type TokenMail } from "./mailer.ts";
import { hashPassword } from "./password.ts";
import type { Visit } from "../commerce/visit.ts";

/** The functions of the built-in accounts that send mails with tokens, and accept these tokens. */
export function createAccountRecovery(
  documents: AccountDocuments,
  mailer: Mailer,
): Required<
  Pick<
    Auth,
    | "requestPasswordReset"
    | "findResetUser"
    | "resetPassword"
    | "requestEmailVerification"
    | "verifyEmail"
  >
> {
  const { accountsOf, clock, random } = documents;
  const tokens = openAccountTokens(documents);

  return {
    async requestPasswordReset({ email }, visit) {
      const issued = await tokens.issue(visit.realm, toAccountKey(email), "reset");
      if (issued !== undefined) await send("resetPassword", issued, visit);
    },

    async findResetUser({ token }, { realm }) {
      return (await findReset(realm, hashToken(token)))?.user;
    },

    async resetPassword({ token, newPassword }, visit) {
      const { realm, signal } = visit;
      const hash = hashToken(token);
      // Before the hash of the password, so a wrong token costs no CPU time.
      const found = await findReset(realm, hash);
      if (found === undefined) return undefined;
      const { key } = found;
      assertNotAddress(newPassword, found.user);
      const passwordHash = await hashPassword(newPassword, random, visit);
      let user: ShopUser | undefined;
      await accountsOf(realm).update(key, (current) => {
        assertInTime(signal);
        user = undefined;
        if (current === undefined || !isCurrent(current.reset, hash, clock.now())) return "keep";
        // The token came to this address.
        user = { ...current.user, emailVerified: true };
        return { set: { ...current, user, passwordHash, reset: undefined } };
      });
      await tokens.remove(realm, hash);
      return user;
    },

    async requestEmailVerification({ email }, visit) {
      const key = toAccountKey(email);
      const issued = await tokens.issue(visit.realm, key, "verification", isUnverified);
      if (issued !== undefined) await send("verifyEmail", issued, visit);
    },

    async verifyEmail({ token }, { realm, signal }) {
      const hash = hashToken(token);
      const key = await tokens.find(realm, hash);
      if (key === undefined) return undefined;
      let user: ShopUser | undefined;
      await accountsOf(realm).update(key, (current) => {
        assertInTime(signal);
        user = undefined;
        if (current === undefined || !isCurrent(current.verification, hash, clock.now()))
          return "keep";
        user = { ...current.user, emailVerified: true };
        // The token stays, so a page that lost the response can send it again.
        return current.user.emailVerified === true ? "keep" : { set: { ...current, user } };
      });
      return user;
    },
  };

  /** Finds the account that a token can give a new password. */
  async function findReset(realm: string, hash: string) {
    const key = await tokens.find(realm, hash);
    const account = key === undefined ? undefined : (await accountsOf(realm).get(key)).value;
    if (key === undefined || account === undefined) return undefined;
    return isCurrent(account.reset, hash, clock.now()) ? { key, user: account.user } : undefined;
  }

  async function send(
    kind: TokenMail["kind"],
    issued: NonNullable<Awaited<ReturnType<typeof tokens.issue>>>,
    { shop, log }: Visit,
  ): Promise<void> {
    const { account, token, expiresAt } = issued;
    const { user } = account;
    // The stored address, because the one of the call can be spelled in another way.
    const to = user.email;
    if (to === undefined) return;
    await sendMail(mailer, { kind, to, shop, locale: shop.locale, user, token, expiresAt }, log);
  }
}

// --- Internal helpers ---

function isUnverified({ user }: Account): boolean {
  return user.emailVerified !== true;
}
