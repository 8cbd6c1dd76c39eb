import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Grant } from "../commerce/commerce-backend.ts";
import type { LoginVisit, Visit } from "../commerce/visit.ts";

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
  /**
   * Checks the password of a logged-in user, and begins no session. Without this function, `login` checks it: the visit
   * then has no grant, and a grant that `login` sets ends immediately.
   */
  verifyPassword?(
    check: { readonly user: ShopUser; readonly password: string },
    visit: Visit<G>,
  ): Promise<boolean>;
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
