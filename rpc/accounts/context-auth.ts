import { withChangeVisit, withCheckVisit, withLoginVisit } from "#commerce";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Call } from "../call.ts";
import { createVisit } from "../commerce/create-visit.ts";
import { RpcError } from "../error.ts";
import { endUserSessions } from "../session/logout.ts";
import type { Auth, Credentials, Registration } from "./auth.ts";
import { createCallMails } from "./call-mails.ts";
import {
  forgetFailures,
  guardMail,
  guardPassword,
  guardPasswordChange,
  guardRegistration,
  guardToken,
} from "./login-guards.ts";

/** The functions of `context.auth`. */
export type ContextAuth = ReturnType<typeof createContextAuth>;

/**
 * Creates the functions of a context that check and change accounts: those of the config's `auth` or of the shop's
 * commerce system, within the limits of `loginAttempts`. The functions that check a password throw RpcError
 * `too_many_attempts`. In a read-only call, all of them reject.
 */
export function createContextAuth(call: Call) {
  const { auth, commerce } = call.services;
  // Such a login changes the customer's basket in the commerce system.
  const guardLogin = commerce?.baskets?.joinsAtLogin ? guardPasswordChange : guardPassword;
  const mails = createCallMails(call);
  const functions = {
    /** @returns the user, or `undefined` if the email address or the password is wrong */
    login(credentials: Credentials): Promise<ShopUser | undefined> {
      return guardLogin(call, credentials.email, () =>
        withLoginVisit(call, (visit) => auth.login(credentials, visit)),
      );
    },

    /**
     * Runs your own check of a password within the limits of failed logins, for example in a `login` of your own.
     * `login`, `verifyPassword`, and `changePassword` of this object have these limits already.
     * @param account the name by which failures count, for example the email address
     * @param check returns `undefined` for a wrong password, or throws an RpcError with the status 401 or 403
     * @throws RpcError `too_many_attempts`; and any error of `check`
     */
    limit<T>(account: string, check: () => Promise<T | undefined>): Promise<T | undefined> {
      return guardPassword(call, account, check);
    },

    /** Creates an account. @throws RpcError `email_taken`, `email_not_verified` */
    async register(registration: Registration): Promise<ShopUser> {
      const user = await guardRegistration(call, () =>
        withLoginVisit(call, (visit) => auth.register(registration, visit)),
      );
      mails.verify(user);
      return user;
    },

    /** @returns whether this is the password of the user's account */
    async verifyPassword(user: ShopUser, password: string): Promise<boolean> {
      const verified = await guardPassword(call, accountOf(user), async () => {
        const isRight = await checkPassword(call, user, password);
        return isRight ? true : undefined;
      });
      return verified !== undefined;
    },

    /** @returns whether the old password was right, so that the new one is set */
    async changePassword(change: Parameters<Auth["changePassword"]>[0]): Promise<boolean> {
      const changed = await guardPasswordChange(call, accountOf(change.user), async () => {
        const isRight = await withChangeVisit(call, (visit) => auth.changePassword(change, visit));
        return isRight ? true : undefined;
      });
      if (changed === undefined) return false;
      mails.notify("passwordChanged", change.user);
      return true;
    },

    /** Changes the profile in the account. @returns the changed user, for `context.updateUser` */
    async updateUser(change: Parameters<NonNullable<Auth["updateUser"]>>[0]): Promise<ShopUser> {
      const changed = await withChangeVisit(call, async (visit) =>
        auth.updateUser?.(change, visit),
      );
      return changed ?? { ...change.user, ...change.profile };
    },

    /**
     * Changes the email address of the account. @returns the changed user, for `context.updateUser`
     * @throws RpcError `email_taken`; `unknown_method` if the shop's accounts can't change it
     */
    async changeEmail(change: Parameters<NonNullable<Auth["changeEmail"]>>[0]): Promise<ShopUser> {
      const changeEmail = functionOf(auth, "changeEmail");
      const changed = await withChangeVisit(call, (visit) => changeEmail(change, visit));
      if (changed.email !== change.user.email) {
        mails.notify("emailChanged", change.user);
        mails.verify(changed);
      }
      return changed;
    },

    /**
     * Sends a mail with a token for a new password, after the response. Nothing shows whether the account exists.
     * @throws RpcError `too_many_attempts`; `unknown_method` if the shop's accounts can't do that
     */
    async requestPasswordReset(email: string): Promise<void> {
      const request = functionOf(auth, "requestPasswordReset");
      await guardMail(call, email);
      mails.send(request, email);
    },

    /**
     * Sets a new password by the token of a mail. It ends the user's sessions before that, if the accounts can find the
     * user by the token. End them after it, too: for parallel logins with the old password.
     * @returns the user, or `undefined` if the token is wrong, used, or expired
     * @throws RpcError `too_many_attempts`; `unknown_method` if the shop's accounts can't do that
     */
    async resetPassword(
      reset: Parameters<NonNullable<Auth["resetPassword"]>>[0],
    ): Promise<ShopUser | undefined> {
      const resetPassword = functionOf(auth, "resetPassword");
      const user = await guardToken(call, async () => {
        const known = await auth.findResetUser?.(reset, createVisit(call));
        if (known !== undefined) await endUserSessions(call.session, known.id);
        return withCheckVisit(call, (visit) => resetPassword(reset, visit));
      });
      if (user === undefined) return undefined;
      mails.notify("passwordChanged", user);
      await forgetFailures(call, accountOf(user));
      return user;
    },

    /**
     * Sends a mail with a token that verifies an address, after the response. Nothing shows whether the account exists.
     * @throws RpcError `too_many_attempts`; `unknown_method` if the shop's accounts can't do that
     */
    async requestEmailVerification(email: string): Promise<void> {
      const request = functionOf(auth, "requestEmailVerification");
      await guardMail(call, email);
      mails.send(request, email);
    },

    /**
     * Verifies an address by the token of a mail.
     * @returns the user, or `undefined` if the token is wrong or expired
     * @throws RpcError `too_many_attempts`; `unknown_method` if the shop's accounts can't do that
     */
    async verifyEmail(token: string): Promise<ShopUser | undefined> {
      const verifyEmail = functionOf(auth, "verifyEmail");
      return guardToken(call, () => withCheckVisit(call, (visit) => verifyEmail({ token }, visit)));
    },
  };
  if (!call.session.isReadOnly) return functions;
  const refuse = async () => call.session.assertWritable();
  const names = Object.keys(functions);
  return Object.fromEntries(names.map((name) => [name, refuse])) as unknown as typeof functions;
}

// --- Internal helpers ---

/** @throws RpcError `unknown_method` if the shop's accounts don't have the function */
function functionOf<Name extends keyof Auth>(auth: Auth, name: Name): NonNullable<Auth[Name]> {
  const run = auth[name];
  if (run === undefined) throw new RpcError("unknown_method");
  return run.bind(auth) as NonNullable<Auth[Name]>;
}

/** The account that failed logins of a user count for; with some `auth`, users have no email address. */
function accountOf({ email, id }: ShopUser): string {
  return email ?? String(id);
}

async function checkPassword(call: Call, user: ShopUser, password: string): Promise<boolean> {
  const { auth } = call.services;
  const verifyPassword = auth.verifyPassword?.bind(auth);
  if (verifyPassword !== undefined) {
    return withChangeVisit(call, (visit) => verifyPassword({ user, password }, visit));
  }
  const credentials = { email: user.email ?? "", password };
  const found = await withCheckVisit(call, (visit) => auth.login(credentials, visit));
  return String(found?.id) === String(user.id);
}
