import type { Logger } from "../../shared/log.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { PublicShop } from "../shop.ts";

/** Where and for what a customer is asked about. */
export interface AuthContext {
  readonly shop: PublicShop;
  /** Names the set of shops that share this customer's account. */
  readonly realm: string;
  readonly log: Logger;
  /** The client's IP address, by the rules of `trustProxy`. */
  readonly ip?: string | undefined;
  /** Aborts when the client has gone away, or the call has taken too long (a TimeoutError). */
  readonly signal: AbortSignal;
}

/** What a customer proves who they are with. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** What a new customer gives. */
export interface Registration extends Credentials {
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
}

/** What customers may change of themselves. */
export interface Profile {
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
}

/** Who knows the customers: the embedded accounts, or calls to a deployment's own system. */
export interface Auth {
  /** @returns the user, or `undefined` where address and password do not belong together */
  login(credentials: Credentials, context: AuthContext): Promise<ShopUser | undefined>;
  /** @throws RpcError `email_taken` */
  register(registration: Registration, context: AuthContext): Promise<ShopUser>;
  /** @returns whether the old password was right and the new one now is */
  changePassword(
    change: {
      readonly user: ShopUser;
      readonly oldPassword: string;
      readonly newPassword: string;
    },
    context: AuthContext,
  ): Promise<boolean>;
  /** Keeps a changed profile; without it, a change lasts as long as the session. */
  updateUser?(
    change: { readonly user: ShopUser; readonly profile: Profile },
    context: AuthContext,
  ): Promise<ShopUser>;
  /**
   * Changes the e-mail address that the user logs in with; without it there is no `updateEmail`.
   * @throws RpcError `email_taken`
   */
  changeEmail?(
    change: { readonly user: ShopUser; readonly email: string },
    context: AuthContext,
  ): Promise<ShopUser>;
}
