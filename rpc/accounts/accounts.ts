import type { Collection, DocumentStore } from "../../storage/documents/documents.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import {
  assertInTime,
  isOwnedBy,
  normalizeEmail,
  openAccountDocuments,
  toAccountKey,
  type Account,
} from "./account-documents.ts";
import { createAccountRecovery } from "./account-recovery.ts";
import type { Auth } from "./auth.ts";
import type { Mailer } from "./mailer.ts";
import type { Visit } from "../commerce/visit.ts";
import { RpcError } from "../error.ts";
import { hashPassword, isPasswordHash, verifyPassword } from "./password.ts";

/**
 * Creates the built-in `auth`: it stores the accounts of a realm, one document for each email address.
 * @param mailer without it, there are no mails: forgotten passwords stay forgotten, and no address is verified
 */
export function createAccounts(store: DocumentStore, mailer?: Mailer): Auth {
  const documents = openAccountDocuments(store);
  const { accountsOf, changesOf, random } = documents;
  /** The value for an account with a new address. */
  const emailVerified = mailer === undefined ? undefined : false;

  return {
    ...(mailer && createAccountRecovery(documents, mailer)),

    async login({ email, password }, context) {
      const { value: account } = await accountsOf(context.realm).get(toAccountKey(email));
      const isRight = await verifyPassword(password, hashOf(account, context), context);
      return isRight ? account?.user : undefined;
    },

    async register({ email, password, firstName, lastName }, context) {
      const { realm, signal } = context;
      const user: ShopUser = {
        id: random.uuid(),
        email: normalizeEmail(email),
        ...(firstName !== undefined && { firstName }),
        ...(lastName !== undefined && { lastName }),
        ...(emailVerified !== undefined && { emailVerified }),
      };
      const passwordHash = await hashPassword(password, random, context);
      const account = { user, passwordHash, createdAt: store.clock.now() };
      await accountsOf(realm).update(toAccountKey(email), (existing) => {
        assertInTime(signal);
        if (existing !== undefined) throw new RpcError("email_taken");
        return { set: account };
      });
      return user;
    },

    async changePassword({ user, oldPassword, newPassword }, context) {
      const { realm, signal } = context;
      const key = toAccountKey(user.email ?? "");
      const read = await accountsOf(realm).get(key);
      const account = isOwnedBy(read.value, user) ? read.value : undefined;
      const currentHash = hashOf(account, context);
      const isRight = await verifyPassword(oldPassword, currentHash, context);
      if (account === undefined || currentHash === undefined) return false;
      if (!isRight) {
        // If a change failed midway, the client repeats it: check its old password against the replaced hash.
        const { value: last } = await changesOf(realm).get(key);
        const isRepeated =
          last?.to === currentHash && (await verifyPassword(oldPassword, last.from, context));
        return isRepeated && verifyPassword(newPassword, currentHash, context);
      }
      const passwordHash = await hashPassword(newPassword, random, context);
      assertInTime(signal);
      const expiresAt = store.clock.now() + repeatableFor;
      const change = { from: currentHash, to: passwordHash };
      await changesOf(realm).update(key, () => ({ set: change, expiresAt }));
      await accountsOf(realm).update(key, (current) => {
        assertInTime(signal);
        // The old password was checked against the hash that was read. It can be wrong for another one.
        if (current?.passwordHash !== currentHash) {
          throw new RpcError("session_changed", { executed: true });
        }
        return { set: { ...current, passwordHash, reset: undefined } };
      });
      return true;
    },

    async updateUser({ user, profile }, { realm }) {
      const changed = { ...user, ...profile };
      await accountsOf(realm).update(toAccountKey(user.email ?? ""), (account) =>
        isOwnedBy(account, user)
          ? { set: { ...account, user: { ...account.user, ...profile } } }
          : "keep",
      );
      return changed;
    },

    async changeEmail({ user, email }, { realm, signal }) {
      const accounts = accountsOf(realm);
      const [from, to] = [toAccountKey(user.email ?? ""), toAccountKey(email)];
      if (from === to) return { ...user, email: normalizeEmail(email) };
      const address = { email: normalizeEmail(email), emailVerified };
      // If two changes run at the same time, the last one to set `movingTo` wins.
      const { value: account } = await accounts.update(from, (current) => {
        assertInTime(signal);
        return isOwnedBy(current, user)
          ? { set: { ...current, ...withoutTokens, movingTo: to } }
          : "keep";
      });
      await accounts.update(to, (existing) => {
        assertInTime(signal);
        // The client repeats a change that failed midway: continue after this step.
        if (isOwnedBy(existing, user)) return "keep";
        if (existing !== undefined) throw new RpcError("email_taken");
        if (!isOwnedBy(account, user)) throw new RpcError("session_changed", { executed: true });
        return { set: { ...account, user: { ...account.user, ...address }, movingTo: undefined } };
      });
      await moveAway(accounts, from, to, user);
      return { ...user, ...address };
    },
  };
}

// --- Internal helpers ---

/** Milliseconds in which a client can repeat a password change. */
const repeatableFor = 5 * 60_000;

/** Tokens that were sent to the old address are invalid from now on. */
const withoutTokens = { reset: undefined, verification: undefined };

/** The hash of an account. An unreadable one matches no password, and the server logs an error. */
function hashOf(account: Account | undefined, { log }: Visit): string | undefined {
  if (account === undefined) return undefined;
  const { passwordHash } = account;
  if (isPasswordHash(passwordHash)) return passwordHash;
  log.error("An account's password hash cannot be read, so its user cannot log in", {
    userId: account.user.id,
  });
  return undefined;
}

/** Removes a moved account from its old key, and copies a password that changed in the meantime. */
async function moveAway(
  accounts: Collection<Account>,
  from: string,
  to: string,
  user: ShopUser,
): Promise<void> {
  let last: Account | undefined;
  await accounts.update(from, (current) => {
    last = isOwnedBy(current, user) ? current : undefined;
    return last?.movingTo === to ? "remove" : "keep";
  });
  if (last === undefined) return;
  const isMoved = last.movingTo === to;
  const { passwordHash } = last;
  await accounts.update(to, (current) => {
    if (!isOwnedBy(current, user)) return "keep";
    return isMoved ? { set: { ...current, passwordHash } } : "remove";
  });
  if (!isMoved) throw new RpcError("session_changed", { executed: true });
}
