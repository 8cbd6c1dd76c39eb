import * as z from "zod/mini";
import { boundedText } from "../schema.ts";
import { isSameUser } from "../session/record-changes.ts";
import { RpcError } from "../error.ts";
import { defineRpcMethod } from "../define-method.ts";
import { secret } from "../redaction/secret.ts";
import { email, newPassword } from "./fields.ts";

/** The token of a mail. */
const token = secret(boundedText(1024));

/** Sends a mail with a token for a new password. The result and its time are the same for unknown addresses. */
export const requestPasswordReset = defineRpcMethod({
  input: z.strictObject({ email }),
  async handler({ email: address }, { auth }) {
    await auth.requestPasswordReset(address);
  },
});

/** Sets a new password by a token, and ends all of the user's sessions. It doesn't log in. */
export const resetPassword = defineRpcMethod({
  input: z.strictObject({ token, newPassword }),
  async handler(reset, { auth, destroySessionsForUserId }) {
    const user = await auth.resetPassword(reset);
    if (user === undefined) throw new RpcError("invalid_token");
    await destroySessionsForUserId(user.id);
  },
});

/** Sends a mail with a token that verifies an email address. The result and its time are the same for each address. */
export const requestEmailVerification = defineRpcMethod({
  input: z.strictObject({ email }),
  async handler({ email: address }, { auth }) {
    await auth.requestEmailVerification(address);
  },
});

/** Verifies an email address by a token. The result has the user if they are logged in. */
export const verifyEmail = defineRpcMethod({
  input: z.strictObject({ token }),
  async handler({ token: given }, { auth, user, updateUser }) {
    const verified = await auth.verifyEmail(given);
    if (verified === undefined) throw new RpcError("invalid_token");
    if (!isSameUser(user, verified)) return { user: undefined };
    const changed = { ...user, ...verified };
    updateUser(changed);
    return { user: changed };
  },
});
