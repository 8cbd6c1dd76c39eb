import type { Logger } from "../../shared/log.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { PublicShop } from "../shop.ts";

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
