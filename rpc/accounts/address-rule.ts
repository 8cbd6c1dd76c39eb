import type { ShopUser } from "../../storage/sessions/session-record.ts";
import { RpcError } from "../error.ts";
import { normalizeEmail } from "./account-documents.ts";

/** The message of the rule that a password isn't the user's email address (OWASP ASVS 5.0, 6.2.11). */
export const notTheAddress = "Expected something other than the email address";

/** Whether a password is an email address, in any spelling of it. */
export function isAddress(password: string, email: string): boolean {
  return normalizeEmail(password) === normalizeEmail(email);
}

/** @throws RpcError `invalid_input` if the new password is the user's email address */
export function assertNotAddress(newPassword: string, { email = "" }: ShopUser): void {
  if (!isAddress(newPassword, email)) return;
  const errors = [{ path: ["newPassword"], message: notTheAddress }];
  throw new RpcError("invalid_input", { errors });
}
