import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Call } from "../call.ts";
import { createVisit } from "../commerce/create-visit.ts";
import { RpcError } from "../error.ts";
import type { Auth, Credentials, Registration } from "./auth.ts";
import { guardPassword, guardPasswordChange, guardRegistration } from "./login-limiter.ts";
import { createCheckVisit } from "./check-visit.ts";

/** The functions of `context.auth`. */
export type ContextAuth = ReturnType<typeof createContextAuth>;

/**
 * Creates the functions of a context that check and change accounts: those of the config's `auth` or of the shop's
 * commerce system, within the limits of `loginAttempts`. The functions that check a password throw RpcError
 * `too_many_attempts`.
 */
export function createContextAuth(call: Call) {
  const { auth } = call.services;
  return {
    /** @returns the user, or `undefined` if the email address or the password is wrong */
    login(credentials: Credentials): Promise<ShopUser | undefined> {
      return guardPassword(call, credentials.email, () =>
        auth.login(credentials, createVisit(call)),
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

    /** Creates an account. @throws RpcError `email_taken` */
    register(registration: Registration): Promise<ShopUser> {
      return guardRegistration(call, () => auth.register(registration, createVisit(call)));
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
    changePassword(change: Parameters<Auth["changePassword"]>[0]): Promise<boolean> {
      return guardPasswordChange(call, accountOf(change.user), () =>
        auth.changePassword(change, createVisit(call)),
      );
    },

    /** Changes the profile in the account. @returns the changed user, for `context.updateUser` */
    async updateUser(change: Parameters<NonNullable<Auth["updateUser"]>>[0]): Promise<ShopUser> {
      const changed = await auth.updateUser?.(change, createVisit(call));
      return changed ?? { ...change.user, ...change.profile };
    },

    /**
     * Changes the email address of the account. @returns the changed user, for `context.updateUser`
     * @throws RpcError `email_taken`; `unknown_method` if the shop's accounts can't change it
     */
    async changeEmail(change: Parameters<NonNullable<Auth["changeEmail"]>>[0]): Promise<ShopUser> {
      if (auth.changeEmail === undefined) throw new RpcError("unknown_method");
      return auth.changeEmail(change, createVisit(call));
    },
  };
}

// --- Internal helpers ---

/** The account that failed logins of a user count for; with some `auth`, users have no email address. */
function accountOf({ email, id }: ShopUser): string {
  return email ?? String(id);
}

async function checkPassword(call: Call, user: ShopUser, password: string): Promise<boolean> {
  const { auth } = call.services;
  if (auth.verifyPassword !== undefined) {
    return auth.verifyPassword({ user, password }, createVisit(call));
  }
  const found = await auth.login({ email: user.email ?? "", password }, createCheckVisit(call));
  return String(found?.id) === String(user.id);
}
