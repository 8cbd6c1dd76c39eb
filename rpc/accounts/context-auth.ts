import { withChangeVisit, withCheckVisit, withLoginVisit } from "#commerce";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import { createVisit } from "../commerce/visitor.ts";
import { RpcError } from "../error.ts";
import type { CallSession } from "../session/call-session.ts";
import { endUserSessions } from "../session/logout.ts";
import type { Auth, ContextAuth } from "./auth.ts";
import { createCallMails } from "./call-mails.ts";
import {
  forgetFailures,
  guardMail,
  guardPassword,
  guardPasswordChange,
  guardRegistration,
  guardToken,
} from "./login-guards.ts";

/** Creates the functions of `context.auth`. */
export function createContextAuth(session: CallSession): ContextAuth {
  const { call } = session;
  const { auth, commerce } = call.services;
  // Such a login changes the customer's basket in the commerce system.
  const guardLogin = commerce?.baskets?.joinsAtLogin ? guardPasswordChange : guardPassword;
  const mails = createCallMails(session);
  const functions: ContextAuth = {
    login(credentials) {
      return guardLogin(call, credentials.email, () =>
        withLoginVisit(session, (visit) => auth.login(credentials, visit)),
      );
    },

    limit(account, check) {
      return guardPassword(call, account, check);
    },

    async register(registration) {
      const user = await guardRegistration(call, () =>
        withLoginVisit(session, (visit) => auth.register(registration, visit)),
      );
      mails.verify(user);
      return user;
    },

    async verifyPassword(user, password) {
      const verified = await guardPassword(call, accountOf(user), async () => {
        const isRight = await checkPassword(session, user, password);
        return isRight ? true : undefined;
      });
      return verified !== undefined;
    },

    async changePassword(change) {
      const changed = await guardPasswordChange(call, accountOf(change.user), async () => {
        const isRight = await withChangeVisit(session, (visit) =>
          auth.changePassword(change, visit),
        );
        return isRight ? true : undefined;
      });
      if (changed === undefined) return false;
      mails.notify("passwordChanged", change.user);
      return true;
    },

    async updateUser(change) {
      const changed = await withChangeVisit(session, async (visit) =>
        auth.updateUser?.(change, visit),
      );
      return changed ?? { ...change.user, ...change.profile };
    },

    async changeEmail(change) {
      const changeEmail = functionOf(auth, "changeEmail");
      const changed = await withChangeVisit(session, (visit) => changeEmail(change, visit));
      if (changed.email !== change.user.email) {
        mails.notify("emailChanged", change.user);
        mails.verify(changed);
      }
      return changed;
    },

    async requestPasswordReset(email) {
      const request = functionOf(auth, "requestPasswordReset");
      await guardMail(call, email);
      mails.send(request, email);
    },

    async resetPassword(reset) {
      const resetPassword = functionOf(auth, "resetPassword");
      const user = await guardToken(call, async () => {
        const known = await auth.findResetUser?.(reset, createVisit(session));
        if (known !== undefined) await endUserSessions(session, known.id);
        return withCheckVisit(session, (visit) => resetPassword(reset, visit));
      });
      if (user === undefined) return undefined;
      mails.notify("passwordChanged", user);
      await forgetFailures(call, accountOf(user));
      return user;
    },

    async requestEmailVerification(email) {
      const request = functionOf(auth, "requestEmailVerification");
      await guardMail(call, email);
      mails.send(request, email);
    },

    async verifyEmail(token) {
      const verifyEmail = functionOf(auth, "verifyEmail");
      return guardToken(call, () =>
        withCheckVisit(session, (visit) => verifyEmail({ token }, visit)),
      );
    },
  };
  if (!session.isReadOnly) return functions;
  const refuse = async () => session.assertWritable();
  const names = Object.keys(functions);
  return Object.fromEntries(names.map((name) => [name, refuse])) as unknown as ContextAuth;
}

// --- Internal helpers ---

/** @throws RpcError `unknown_method` if the shop's accounts don't have the function */
function functionOf<Name extends keyof Auth>(auth: Auth, name: Name): NonNullable<Auth[Name]> {
  const run = auth[name];
  if (run === undefined) throw new RpcError("unknown_method");
  return run.bind(auth) as NonNullable<Auth[Name]>;
}

/** The account that failed logins of a user count for; with some `auth`, users have no email address. */
function accountOf({ email, id }: ShopUser): string {
  return email ?? String(id);
}

async function checkPassword(
  session: CallSession,
  user: ShopUser,
  password: string,
): Promise<boolean> {
  const { auth } = session.services;
  const verifyPassword = auth.verifyPassword?.bind(auth);
  if (verifyPassword !== undefined) {
    return withChangeVisit(session, (visit) => verifyPassword({ user, password }, visit));
  }
  const credentials = { email: user.email ?? "", password };
  const found = await withCheckVisit(session, (visit) => auth.login(credentials, visit));
  return String(found?.id) === String(user.id);
}
