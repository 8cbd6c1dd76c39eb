import * as z from "zod";
import type { Auth } from "../server/index.ts";
import { activeCustomer, currentUser, done, logout, success, toUser } from "./vendure-customer.ts";
import type { VendureGrant, VendureRequest, VendureVisit } from "./vendure-request.ts";
import { toResult } from "./vendure-selection.ts";

/** Forgotten passwords and new addresses. Vendure creates the tokens, and its own plugin sends them by mail. */
export function createVendureRecovery({ send }: VendureRequest) {
  return {
    requestPasswordReset: ({ email }, visit) => requestMail(visit, "requestPasswordReset", email),

    resetPassword: ({ token, newPassword }, visit) =>
      redeem(visit, {
        query: `mutation($token: String!, $password: String!) { r: resetPassword(token: $token, password: $password) ${redeemed} }`,
        variables: { token, password: newPassword },
      }),

    requestEmailVerification: ({ email }, visit) =>
      requestMail(visit, "refreshCustomerVerification", email),

    verifyEmail: ({ token }, visit) =>
      redeem(visit, {
        query: `mutation($token: String!) { r: verifyCustomerAccount(token: $token) ${redeemed} }`,
        variables: { token },
      }),
  } satisfies Partial<Auth<VendureGrant>>;

  async function requestMail(visit: VendureVisit, field: string, email: string): Promise<void> {
    const query = `mutation($email: String!) { r: ${field}(emailAddress: $email) ${done} }`;
    await send(visit, { query, variables: { email }, result: success }, undefined);
  }

  /** @returns the user, or `undefined` if Vendure rejects the token */
  async function redeem(
    visit: VendureVisit,
    operation: { readonly query: string; readonly variables: Readonly<Record<string, string>> },
  ) {
    const { result: found, issued } = await send(visit, { ...operation, result }, undefined);
    if ("errorCode" in found) return undefined;
    const { result: user } = await send(visit, activeCustomer, issued);
    // Vendure has logged the user in, and nobody needs that session.
    await send(visit, logout, issued);
    return user === null ? undefined : toUser(user);
  }
}

// --- Internal helpers ---

const result = z.union([
  currentUser,
  z.object({
    errorCode: z.enum([
      "PASSWORD_RESET_TOKEN_INVALID_ERROR",
      "PASSWORD_RESET_TOKEN_EXPIRED_ERROR",
      "VERIFICATION_TOKEN_INVALID_ERROR",
      "VERIFICATION_TOKEN_EXPIRED_ERROR",
    ]),
  }),
]);
const redeemed = toResult("CurrentUser", currentUser);
