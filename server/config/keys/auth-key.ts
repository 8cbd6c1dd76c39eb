import type { Auth } from "../../../rpc/accounts/auth.ts";
import { hasFunctions, value } from "./config-key.ts";

/** The key `auth`. */
export const authKey = value<Auth>(
  isAuth,
  "an object with the functions login, register, changePassword, and optionally others: see docs/accounts.md",
);

/** Whether a value can be customer accounts: an object with all required functions, and with no other kind of value under an optional name. */
export function isAuth(found: unknown): boolean {
  if (!hasFunctions(found, ["login", "register", "changePassword"])) return false;
  const functions = found as Readonly<Record<string, unknown>>;
  return optional.every((name) => ["function", "undefined"].includes(typeof functions[name]));
}

// --- Internal helpers ---

const optional = [
  "verifyPassword",
  "updateUser",
  "changeEmail",
  "requestPasswordReset",
  "resetPassword",
  "findResetUser",
  "requestEmailVerification",
  "verifyEmail",
] satisfies (keyof Auth)[];
