import * as z from "zod";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import { callOf } from "../context.ts";
import { RpcError } from "../error.ts";
import {
  guardPassword,
  guardPasswordChange,
  guardRegistration,
} from "../accounts/login-limiter.ts";
import { Json } from "../json-text.ts";
import { defineRpcMethod } from "../method.ts";
import { logIn, rotateId } from "../session/login.ts";
import { destroyOtherSessionsOf } from "../session/logout.ts";
import { email, newPassword, password, personName } from "./fields.ts";

const notTheAddress = "Expected something else than the e-mail address";

/** Who is logged in; nobody for a guest. */
export const getUser = defineRpcMethod({
  readOnly: true,
  handler(_, context) {
    const { storedUser } = callOf(context).session;
    return storedUser === undefined ? { user: context.user } : answerOf(storedUser);
  },
});

/** Logs in, and merges what the guest has put together into what the user has. */
export const login = defineRpcMethod({
  signsIn: true,
  input: z.strictObject({ email, password, rememberMe: z.boolean().optional() }),
  async handler({ rememberMe, ...credentials }, context) {
    const call = callOf(context);
    const { authContext, runtime, session } = call;
    const user = await guardPassword(call, credentials.email, () =>
      runtime.auth.login(credentials, authContext),
    );
    if (user === undefined) throw new RpcError("invalid_credentials");
    return { user, merge: await logIn(session, user, { rememberMe }) };
  },
});

/** Makes an account and logs in to it. */
export const register = defineRpcMethod({
  signsIn: true,
  input: z
    .strictObject({
      email,
      password: newPassword,
      firstName: personName.optional(),
      lastName: personName.optional(),
    })
    .refine(({ email: address, password: secret }) => !isSameText(address, secret), {
      path: ["password"],
      error: notTheAddress,
    }),
  async handler(registration, context) {
    const call = callOf(context);
    const { authContext, runtime, session } = call;
    const user = await guardRegistration(call, () =>
      runtime.auth.register(registration, authContext),
    );
    return { user, merge: await logIn(session, user) };
  },
});

/** Ends this session, and no other of the user's. */
export const logout = defineRpcMethod({
  async handler(_, { destroySession }) {
    await destroySession();
  },
});

/** Changes fields of the profile. */
export const updateUser = defineRpcMethod({
  access: "user",
  input: z
    .strictObject({ firstName: personName.optional(), lastName: personName.optional() })
    .refine((profile) => Object.keys(profile).length > 0, "Expected at least one field"),
  async handler(profile, context) {
    const { authContext, runtime } = callOf(context);
    const { auth } = runtime;
    const { user } = context;
    const changed = (await auth.updateUser?.({ user, profile }, authContext)) ?? {
      ...user,
      ...profile,
    };
    context.updateUser(changed);
    return { user: changed };
  },
});

/** Changes the password, ends the user's other sessions and gives this one a new id. */
export const updatePassword = defineRpcMethod({
  access: "user",
  input: z.strictObject({ oldPassword: password, newPassword }),
  async handler(passwords, context) {
    const call = callOf(context);
    const { authContext, runtime, session } = call;
    const { user } = context;
    if (isSameText(user.email ?? "", passwords.newPassword)) {
      const errors = [{ path: ["newPassword"], message: notTheAddress }];
      throw new RpcError("invalid_input", { errors });
    }
    const isChanged = await guardPasswordChange(call, accountOf(user), () =>
      runtime.auth.changePassword({ user, ...passwords }, authContext),
    );
    if (!isChanged) throw wrongPassword("oldPassword");
    await destroyOtherSessionsOf(session, user.id);
    await rotateId(session, { proved: true });
    return { user };
  },
});

/** Proves again who the user is, for methods with `requireFresh`, and gives the session a new id. */
export const reauthenticate = defineRpcMethod({
  access: "user",
  input: z.strictObject({ password }),
  async handler({ password: given }, context) {
    const call = callOf(context);
    const { authContext, runtime, session } = call;
    const { user } = context;
    const credentials = { email: user.email ?? "", password: given };
    const proved = await guardPassword(call, accountOf(user), async () => {
      const found = await runtime.auth.login(credentials, authContext);
      return String(found?.id) === String(user.id) ? found : undefined;
    });
    if (proved === undefined) throw wrongPassword("password");
    await rotateId(session, { proved: true });
  },
});

/** Changes the e-mail address, ends the user's other sessions and gives this one a new id. */
export const updateEmail = defineRpcMethod({
  access: "user",
  requireFresh: true,
  input: z.strictObject({ email }),
  async handler(change, context) {
    const { authContext, runtime, session } = callOf(context);
    const { auth } = runtime;
    const { user } = context;
    if (auth.changeEmail === undefined) throw new RpcError("unknown_method");
    const changed = await auth.changeEmail({ user, ...change }, authContext);
    context.updateUser(changed);
    await destroyOtherSessionsOf(session, user.id);
    await rotateId(session, { proved: false });
    return { user: changed };
  },
});

// --- Internal helpers ---

/** What tells of a user; a session that is cached holds the same one in call after call. */
const answers = new WeakMap<ShopUser, Json<{ user: ShopUser | undefined }>>();

function answerOf(user: ShopUser) {
  const answer = answers.get(user) ?? Json.of({ user });
  answers.set(user, answer);
  return answer;
}

/** What failed logins of a user are counted by; not every `auth` knows an address. */
function accountOf({ email: address, id }: ShopUser): string {
  return address ?? String(id);
}

function wrongPassword(field: string): RpcError {
  return new RpcError("wrong_password", {
    errors: [{ path: [field], message: "This is not the password of the account" }],
  });
}

function isSameText(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}
