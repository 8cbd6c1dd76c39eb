import * as z from "zod/mini";
import { assertNotAddress, isAddress, notTheAddress } from "../accounts/address-rule.ts";
import type { UserRpcContext } from "../context.ts";
import { RpcError } from "../error.ts";
import { defineRpcMethod } from "../define-method.ts";
import { email, newPassword, password, personName } from "./fields.ts";

/** Returns the logged-in user; `user` is absent for a guest. */
export const getUser = defineRpcMethod({
  readOnly: true,
  handler: (_, { user }) => ({ user }),
});

/** Logs in, and merges the guest's basket and wishlist into the user's. */
export const login = defineRpcMethod({
  signsIn: true,
  input: z.strictObject({ email, password, rememberMe: z.optional(z.boolean()) }),
  async handler({ rememberMe, ...credentials }, { auth, createUserBoundSession }) {
    const user = await auth.login(credentials);
    if (user === undefined) throw new RpcError("invalid_credentials");
    return { user, merge: await createUserBoundSession(user, { rememberMe }) };
  },
});

/** Creates an account and logs in to it. */
export const register = defineRpcMethod({
  signsIn: true,
  input: z
    .strictObject({
      email,
      password: newPassword,
      firstName: z.optional(personName),
      lastName: z.optional(personName),
    })
    .check(
      z.refine(({ email: address, password: secret }) => !isAddress(secret, address), {
        path: ["password"],
        error: notTheAddress,
      }),
    ),
  async handler(registration, { auth, createUserBoundSession }) {
    const user = await auth.register(registration);
    return { user, merge: await createUserBoundSession(user) };
  },
});

/** Ends this session only. */
export const logout = defineRpcMethod({
  async handler(_, { destroySession }) {
    await destroySession();
  },
});

/** Changes fields of the profile. */
export const updateUser = defineRpcMethod({
  access: "user",
  input: z
    .strictObject({ firstName: z.optional(personName), lastName: z.optional(personName) })
    .check(z.refine((profile) => Object.keys(profile).length > 0, "Expected at least one field")),
  async handler(profile, context) {
    const { auth, user } = context;
    const changed = await auth.updateUser({ user, profile });
    context.updateUser(changed);
    return { user: changed };
  },
});

/** Changes the password, ends the user's other sessions, and gives this session a new ID. */
export const updatePassword = defineRpcMethod({
  access: "user",
  verb: "PUT",
  input: z.strictObject({ oldPassword: password, newPassword }),
  async handler(passwords, context) {
    const { auth, sessions, user } = context;
    assertNotAddress(passwords.newPassword, user);
    if (!(await auth.changePassword({ user, ...passwords }))) throw wrongPassword("oldPassword");
    await endOtherSessions(context);
    await sessions.rotate({ fresh: true });
    return { user };
  },
});

/** Authenticates the user again, for methods with `requireFresh`, and gives the session a new ID. */
export const reauthenticate = defineRpcMethod({
  access: "user",
  input: z.strictObject({ password }),
  async handler({ password: given }, { auth, sessions, user }) {
    if (!(await auth.verifyPassword(user, given))) throw wrongPassword("password");
    await sessions.rotate({ fresh: true });
  },
});

/** Changes the email address, ends the user's other sessions, and gives this session a new ID. */
export const updateEmail = defineRpcMethod({
  access: "user",
  requireFresh: true,
  input: z.strictObject({ email }),
  async handler({ email: address }, context) {
    const { auth, sessions, user } = context;
    const changed = await auth.changeEmail({ user, email: address });
    context.updateUser(changed);
    await endOtherSessions(context);
    await sessions.rotate();
    return { user: changed };
  },
});

// --- Internal helpers ---

async function endOtherSessions(context: UserRpcContext): Promise<void> {
  const { destroySessionsForUserId, sessionId, user } = context;
  await destroySessionsForUserId(user.id, sessionId === undefined ? [] : [sessionId]);
}

function wrongPassword(field: string): RpcError {
  return new RpcError("wrong_password", {
    errors: [{ path: [field], message: "This is not the password of the account" }],
  });
}
