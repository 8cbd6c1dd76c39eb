import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Call } from "../call.ts";
import type { Grant } from "../commerce/commerce-backend.ts";
import { createVisit } from "../commerce/create-visit.ts";
import type { LoginVisit, Visit } from "../commerce/visit.ts";
import { RpcError } from "../error.ts";
import { guardPassword, guardPasswordChange, guardRegistration } from "./login-limiter.ts";

/** The credentials of a customer. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** The fields that customers can change with `updateUser`. */
export interface Profile {
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
}

/** The data of a new customer. */
export interface Registration extends Credentials, Profile {}

/** The customers' accounts: the built-in ones, or those of your own system. */
export interface Auth<G extends Grant = Grant> {
  /** @returns the user, or `undefined` if the email address or the password is wrong */
  login(credentials: Credentials, visit: LoginVisit<G>): Promise<ShopUser | undefined>;
  /** @throws RpcError `email_taken` */
  register(registration: Registration, visit: LoginVisit<G>): Promise<ShopUser>;
  /** @returns whether the old password was right, so that the new one is set */
  changePassword(
    change: {
      readonly user: ShopUser;
      readonly oldPassword: string;
      readonly newPassword: string;
    },
    visit: LoginVisit<G>,
  ): Promise<boolean>;
  /** Stores a changed profile. Without this function, a change lasts as long as the session. */
  updateUser?(
    change: { readonly user: ShopUser; readonly profile: Profile },
    visit: Visit<G>,
  ): Promise<ShopUser>;
  /**
   * Changes the email address for logins. Without this function, `updateEmail` is an unknown method.
   * @throws RpcError `email_taken`
   */
  changeEmail?(
    change: { readonly user: ShopUser; readonly email: string },
    visit: Visit<G>,
  ): Promise<ShopUser>;
}

/** The functions of `context.auth`. */
export type ContextAuth = ReturnType<typeof createContextAuth>;

/**
 * Creates the functions of a context that check and change accounts: those of the config's `auth`, within the limits
 * of `loginAttempts`. The functions that check a password throw RpcError `too_many_attempts`.
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

    /** Creates an account. @throws RpcError `email_taken` */
    register(registration: Registration): Promise<ShopUser> {
      return guardRegistration(call, () => auth.register(registration, createVisit(call)));
    },

    /** @returns whether this is the password of the user's account */
    async verifyPassword(user: ShopUser, password: string): Promise<boolean> {
      const credentials = { email: user.email ?? "", password };
      const verified = await guardPassword(call, accountOf(user), async () => {
        const found = await auth.login(credentials, createVisit(call));
        return String(found?.id) === String(user.id) ? found : undefined;
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
     * @throws RpcError `email_taken`; `unknown_method` if the config's `auth` cannot change it
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
