import { describeError, isInstance } from "../../shared/log.ts";
import type { Call } from "../call.ts";
import { RpcError } from "../error.ts";
import type { LimitedKey, LoginLimiter } from "./login-limiter.ts";

/**
 * Checks a password, unless too many checks failed for the account or the caller's IP address (ASVS 5.0, 6.3.1). It
 * reads the limit again after the check, so parallel guesses above the limit don't reveal which one was right.
 * @param email the name of the account
 * @param verify returns `undefined` for a wrong password, or throws an RpcError with the status 401 or 403
 * @throws RpcError `too_many_attempts`, StorageUnavailableError, and any error of `verify`
 */
export async function guardPassword<T>(
  call: Call,
  email: string,
  verify: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const limiter = call.runtime.loginLimiter;
  if (limiter === undefined) return verify();
  const keys = keysOf(call, limiter, email);
  assertWithin(keys.map((key) => limiter.recall(key)));
  let verified: T | undefined;
  let rejection: unknown;
  try {
    verified = await verify();
  } catch (error) {
    if (!isRejection(error)) throw error;
    rejection = error;
  }
  if (verified === undefined) {
    assertWithin(await Promise.all(keys.map((key) => limiter.add(key))));
    if (rejection !== undefined) throw rejection;
    return undefined;
  }
  const states = await Promise.all(keys.map((key) => limiter.read(key)));
  assertWithin(states.map(({ wait }) => wait));
  if (states[0]?.count !== 0) await tryToUncount(call, () => limiter.clear(keys[0]));
  return verified;
}

/**
 * Like {@link guardPassword}, for a check that changes something if the password is right. It can't be rejected after
 * that, so each attempt counts before the check. The count is taken back unless the password was wrong.
 * @param change returns `undefined` for a wrong password, or throws an RpcError with the status 401 or 403
 */
export async function guardPasswordChange<T>(
  call: Call,
  email: string,
  change: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const limiter = call.runtime.loginLimiter;
  if (limiter === undefined) return change();
  const keys = keysOf(call, limiter, email);
  assertWithin(keys.map((key) => limiter.recall(key)));
  const waits = await Promise.all(keys.map((key) => limiter.add(key)));
  let changed: T | undefined;
  try {
    assertWithin(waits);
    changed = await change();
  } catch (error) {
    if (!isRejection(error)) {
      await tryToUncount(call, () => Promise.all(keys.map((key) => limiter.takeBack(key))));
    }
    throw error;
  }
  const [account, address] = keys;
  if (changed !== undefined) {
    await tryToUncount(call, () =>
      Promise.all([limiter.clear(account), address && limiter.takeBack(address)]),
    );
  }
  return changed;
}

/**
 * Registers, unless there were too many registrations from the caller's IP address. Each costs a hash, and reveals
 * whether an account exists.
 * @throws RpcError `too_many_attempts`, StorageUnavailableError, and any error of `register`
 */
export async function guardRegistration<T>(call: Call, register: () => Promise<T>): Promise<T> {
  const { ip } = call.request.client;
  const { loginLimiter } = call.runtime;
  if (ip !== undefined && loginLimiter !== undefined) {
    const registrations = loginLimiter.ofAddress(ip, "registration");
    assertWithin([loginLimiter.recall(registrations)], tooManyRegistrations);
    assertWithin([await loginLimiter.add(registrations)], tooManyRegistrations);
  }
  return register();
}

/**
 * Counts a request for a mail, for the account and for the caller's IP address. Each costs a mail, or tries an address.
 * @throws RpcError `too_many_attempts`, StorageUnavailableError
 */
export async function guardMail(call: Call, email: string): Promise<void> {
  const { ip } = call.request.client;
  const limiter = call.runtime.loginLimiter;
  if (limiter === undefined) return;
  const account = limiter.ofAccount(call.services.realm.name, email, "mail");
  const keys = ip === undefined ? [account] : [account, limiter.ofAddress(ip, "mails")];
  assertWithin(
    keys.map((key) => limiter.recall(key)),
    tooManyMails,
  );
  assertWithin(await Promise.all(keys.map((key) => limiter.add(key))), tooManyMails);
}

/**
 * Checks a token of a mail, unless too many checks failed from the caller's IP address.
 * @param check returns `undefined` for a wrong token, or throws an RpcError with the status 401 or 403
 * @throws RpcError `too_many_attempts`, StorageUnavailableError, and any error of `check`
 */
export async function guardToken<T>(
  call: Call,
  check: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const { ip } = call.request.client;
  const limiter = call.runtime.loginLimiter;
  if (limiter === undefined || ip === undefined) return check();
  const key = limiter.ofAddress(ip, "address");
  // Before the check, because a right token can't be used twice.
  assertWithin([await limiter.add(key)]);
  let checked: T | undefined;
  try {
    checked = await check();
  } catch (error) {
    if (!isRejection(error)) await tryToUncount(call, () => limiter.takeBack(key));
    throw error;
  }
  if (checked !== undefined) await tryToUncount(call, () => limiter.takeBack(key));
  return checked;
}

/** Forgets the failed logins of an account whose owner has proved themselves by a mail. */
export async function forgetFailures(call: Call, email: string): Promise<void> {
  const limiter = call.runtime.loginLimiter;
  if (limiter === undefined) return;
  const account = limiter.ofAccount(call.services.realm.name, email);
  await tryToUncount(call, () => limiter.clear(account));
}

// --- Internal helpers ---

const tooManyMails = "Too many mails were requested for this account, or from this address";
const tooManyRegistrations = "Too many accounts were registered from this address";

/** The key of the account, and that of the IP address if it is known. */
function keysOf(
  { request, services }: Call,
  limiter: LoginLimiter,
  email: string,
): readonly [account: LimitedKey, ...address: LimitedKey[]] {
  const { ip } = request.client;
  const account = limiter.ofAccount(services.realm.name, email);
  return ip === undefined ? [account] : [account, limiter.ofAddress(ip, "address")];
}

/** @param waits the seconds until each counter allows the attempt @throws RpcError `too_many_attempts` */
function assertWithin(waits: readonly number[], detail?: string): void {
  const wait = Math.max(...waits);
  if (wait === 0) return;
  throw new RpcError("too_many_attempts", { detail, headers: { "retry-after": String(wait) } });
}

/** Whether an `auth` rejects the password by an error. */
function isRejection(error: unknown): boolean {
  return isInstance(error, RpcError) && (error.status === 401 || error.status === 403);
}

/** Makes a count smaller. If that fails, the call continues, and the count ends with its window. */
async function tryToUncount(call: Call, change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    call.log.warn("Logins that did not fail stay counted", { error: describeError(error) });
  }
}
