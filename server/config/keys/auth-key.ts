import type { Auth } from "../../../rpc/accounts/auth.ts";
import { isFunction, openObject, optional, type Members } from "./open-object.ts";

/** The members of customer accounts. */
export const authMembers: Members<Auth> = {
  login: isFunction,
  register: isFunction,
  changePassword: isFunction,
  verifyPassword: optional(isFunction),
  updateUser: optional(isFunction),
  changeEmail: optional(isFunction),
  requestPasswordReset: optional(isFunction),
  resetPassword: optional(isFunction),
  findResetUser: optional(isFunction),
  requestEmailVerification: optional(isFunction),
  verifyEmail: optional(isFunction),
};

/** The key `auth`. */
export const authKey = openObject<Auth>(
  authMembers,
  "an object with the functions login, register, changePassword, and optionally others: see docs/accounts.md",
);
