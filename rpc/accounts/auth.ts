import type { Logger } from "../../shared/log.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Call } from "../call.ts";
import { RpcError } from "../error.ts";
import type { PublicShop } from "../shop.ts";
import { guardPassword, guardPasswordChange, guardRegistration } from "./login-limiter.ts";

/** The call for which `auth` runs. */
export interface AuthContext {
  readonly shop: PublicShop;
  /** The name of the set of shops that share the customer's account. */
  readonly realm: string;
  readonly log: Logger;
  /** The client's IP address, by the rules of `trustProxy`. */
  readonly ip?: string | undefined;
  /** Aborts if the client disconnects, or if the call takes too long (a TimeoutError). */
  readonly signal: AbortSignal;
}

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
export interface Auth {
  /** @returns the user, or `undefined` if the email address or the password is wrong */
  login(credentials: Credentials, context: AuthContext): Promise<ShopUser | undefined>;
  /** @throws RpcError `email_taken` */
  register(registration: Registration, context: AuthContext): Promise<ShopUser>;
  /** @returns whether the old password was right, so that the new one is set */
  changePassword(
    change: {
      readonly user: ShopUser;
      readonly oldPassword: string;
      readonly newPassword: string;
    },
    context: AuthContext,
  ): Promise<boolean>;
  /** Stores a changed profile. Without this function, a change lasts as long as the session. */
  updateUser?(
    change: { readonly user: ShopUser; readonly profile: Profile },
    context: AuthContext,
  ): Promise<ShopUser>;
  /**
   * Changes the email address for logins. Without this function, `updateEmail` is an unknown method.
   * @throws RpcError `email_taken`
   */
  changeEmail?(
    change: { readonly user: ShopUser; readonly email: string },
    context: AuthContext,
  ): Promise<ShopUser>;
}

/** The functions of `context.auth`. */
export type ContextAuth = ReturnType<typeof createContextAuth>;

/**
 * Creates the functions of a context that check and change accounts: those of the config's `auth`, within the limits
 * of `loginAttempts`. The functions that check a password throw RpcError `too_many_attempts`.
 */
export function createContextAuth(call: Call) {
  const { auth } = call.runtime;
  const toAuthContext = (): AuthContext => {
    const { services, log, request } = call;
    const { ip } = request.client;
    const { signal } = request.deadline;
    return { shop: services.shop, realm: services.realm.name, log, ip, signal };
  };
  return {
    /** @returns the user, or `undefined` if the email address or the password is wrong */
    login(credentials: Credentials): Promise<ShopUser | undefined> {
      return guardPassword(call, credentials.email, () => auth.login(credentials, toAuthContext()));
    },

    /** Creates an account. @throws RpcError `email_taken` */
    register(registration: Registration): Promise<ShopUser> {
      return guardRegistration(call, () => auth.register(registration, toAuthContext()));
    },

    /** @returns whether this is the password of the user's account */
    async verifyPassword(user: ShopUser, password: string): Promise<boolean> {
      const credentials = { email: user.email ?? "", password };
      const verified = await guardPassword(call, accountOf(user), async () => {
        const found = await auth.login(credentials, toAuthContext());
        return String(found?.id) === String(user.id) ? found : undefined;
      });
      return verified !== undefined;
    },

    /** @returns whether the old password was right, so that the new one is set */
    changePassword(change: Parameters<Auth["changePassword"]>[0]): Promise<boolean> {
      return guardPasswordChange(call, accountOf(change.user), () =>
        auth.changePassword(change, toAuthContext()),
      );
    },

    /** Changes the profile in the account. @returns the changed user, for `context.updateUser` */
    async updateUser(change: Parameters<NonNullable<Auth["updateUser"]>>[0]): Promise<ShopUser> {
      const changed = await auth.updateUser?.(change, toAuthContext());
      return changed ?? { ...change.user, ...change.profile };
    },

    /**
     * Changes the email address of the account. @returns the changed user, for `context.updateUser`
     * @throws RpcError `email_taken`; `unknown_method` if the config's `auth` cannot change it
     */
    async changeEmail(change: Parameters<NonNullable<Auth["changeEmail"]>>[0]): Promise<ShopUser> {
      if (auth.changeEmail === undefined) throw new RpcError("unknown_method");
      return auth.changeEmail(change, toAuthContext());
    },
  };
}

// --- Internal helpers ---

/** The account that failed logins of a user count for; with some `auth`, users have no email address. */
function accountOf({ email, id }: ShopUser): string {
  return email ?? String(id);
}
