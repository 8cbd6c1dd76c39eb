import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Grant, LoginVisit, Visit } from "../commerce/visit.ts";

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
  /**
   * @returns the user, or `undefined` if the email address or the password is wrong
   * @throws RpcError `email_not_verified` if the system allows no login before that
   */
  login(credentials: Credentials, visit: LoginVisit<G>): Promise<ShopUser | undefined>;
  /**
   * Creates an account.
   * @throws RpcError `email_taken`; `email_not_verified` if the account exists now, and its owner must verify the
   * address before the first login
   */
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
  /**
   * Sends the customer a mail with a token for `resetPassword`; does nothing for an unknown address. It runs after the
   * response, which is the same for each address. Without this function, `requestPasswordReset` is an unknown method.
   */
  requestPasswordReset?(request: { readonly email: string }, visit: Visit<G>): Promise<void>;
  /**
   * Sets a new password. The server then ends all sessions of the user, and logs nobody in. Without this function,
   * `resetPassword` is an unknown method.
   * @returns the user, or `undefined` if the token is wrong, used, or expired
   */
  resetPassword?(
    reset: { readonly token: string; readonly newPassword: string },
    visit: LoginVisit<G>,
  ): Promise<ShopUser | undefined>;
  /**
   * Finds the user of a token for `resetPassword`; the token stays valid. With this function, the user's sessions also end
   * before the password changes. If the server fails in between, the same call works again.
   */
  findResetUser?(reset: { readonly token: string }, visit: Visit<G>): Promise<ShopUser | undefined>;
  /**
   * Sends the customer a mail with a token for `verifyEmail`; does nothing for an unknown or verified address. It runs
   * after the response. Without this function, `requestEmailVerification` is an unknown method.
   */
  requestEmailVerification?(request: { readonly email: string }, visit: Visit<G>): Promise<void>;
  /**
   * Notes that the user receives mails at their address. Without this function, `verifyEmail` is an unknown method.
   * @returns the user with `emailVerified`, or `undefined` if the token is wrong or expired
   */
  verifyEmail?(
    verification: { readonly token: string },
    visit: LoginVisit<G>,
  ): Promise<ShopUser | undefined>;
}

/**
 * The functions of `context.auth`: the config's `auth`, or the accounts of the shop's commerce system, within the
 * limits of `loginAttempts`. In a read-only call, all of them reject.
 * @throws RpcError `too_many_attempts` from functions that check a password
 */
export interface ContextAuth {
  /** @returns the user, or `undefined` if the email address or the password is wrong */
  login(credentials: Credentials): Promise<ShopUser | undefined>;
  /**
   * Runs your own check of a password within the limits of failed logins, for example in a `login` of your own.
   * `login`, `verifyPassword`, and `changePassword` of this object have these limits already.
   * @param account the name by which failures count, for example the email address
   * @param check returns `undefined` for a wrong password, or throws an RpcError with the status 401 or 403
   * @throws RpcError `too_many_attempts`; and any error of `check`
   */
  limit<T>(account: string, check: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Creates an account. @throws RpcError `email_taken`, `email_not_verified` */
  register(registration: Registration): Promise<ShopUser>;
  /** @returns whether this is the password of the user's account */
  verifyPassword(user: ShopUser, password: string): Promise<boolean>;
  /** @returns whether the old password was right, so that the new one is set */
  changePassword(change: Parameters<Auth["changePassword"]>[0]): Promise<boolean>;
  /** Changes the profile in the account. @returns the changed user, for `context.updateUser` */
  updateUser(change: Parameters<NonNullable<Auth["updateUser"]>>[0]): Promise<ShopUser>;
  /**
   * Changes the email address of the account. @returns the changed user, for `context.updateUser`
   * @throws RpcError `email_taken`; `unknown_method` if the shop's accounts can't change it
   */
  changeEmail(change: Parameters<NonNullable<Auth["changeEmail"]>>[0]): Promise<ShopUser>;
  /**
   * Sends a mail with a token for a new password, after the response. Nothing shows whether the account exists.
   * @throws RpcError `too_many_attempts`; `unknown_method` if the shop's accounts can't do that
   */
  requestPasswordReset(email: string): Promise<void>;
  /**
   * Sets a new password by the token of a mail. It ends the user's sessions before that, if the accounts can find the
   * user by the token. End them after it, too: for parallel logins with the old password.
   * @returns the user, or `undefined` if the token is wrong, used, or expired
   * @throws RpcError `too_many_attempts`; `unknown_method` if the shop's accounts can't do that
   */
  resetPassword(
    reset: Parameters<NonNullable<Auth["resetPassword"]>>[0],
  ): Promise<ShopUser | undefined>;
  /**
   * Sends a mail with a token that verifies an address, after the response. Nothing shows whether the account exists.
   * @throws RpcError `too_many_attempts`; `unknown_method` if the shop's accounts can't do that
   */
  requestEmailVerification(email: string): Promise<void>;
  /**
   * Verifies an address by the token of a mail.
   * @returns the user, or `undefined` if the token is wrong or expired
   * @throws RpcError `too_many_attempts`; `unknown_method` if the shop's accounts can't do that
   */
  verifyEmail(token: string): Promise<ShopUser | undefined>;
}
