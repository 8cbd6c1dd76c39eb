import { LRUCache } from "lru-cache";
import type { Counters, CounterState, DocumentStore } from "../../storage/documents/documents.ts";
import { toKeySegment } from "../../storage/documents/key.ts";
import { describeError, isInstance } from "../../shared/log.ts";
import { normalizeEmail } from "./accounts.ts";
import type { Call } from "../call.ts";
import { RpcError } from "../error.ts";
import { toNetwork } from "./network.ts";

/** The limits of failed logins, and of registrations from one IP address. `window` is in seconds. */
export interface LoginAttemptsOptions {
  readonly perAccount: number;
  readonly perAddress: number;
  readonly window: number;
}

/** Counts failed logins by account and by IP address, and registrations by IP address. */
export class LoginLimiter {
  readonly #counters: Counters;
  readonly #options: LoginAttemptsOptions;
  readonly #blocked: BlockedKeys = new LRUCache({ max: 10_000 });

  constructor(store: DocumentStore, options: LoginAttemptsOptions) {
    this.#counters = store.counters("login-attempts", options.window);
    this.#options = options;
  }

  /** The failed logins of an account. Unknown accounts count, too, so a response reveals no account. */
  ofAccount(realm: string, email: string): FailureCounter {
    const key = `account:${toKeySegment(realm)}:${toKeySegment(normalizeEmail(email))}`;
    return new FailureCounter(this.#counters, key, this.#options.perAccount, this.#blocked);
  }

  /** The failed logins from an IP address. */
  ofAddress(ip: string): FailureCounter {
    return this.#from(ip, "address");
  }

  /** The registrations from an IP address, successful or not. */
  registrationsFrom(ip: string): FailureCounter {
    return this.#from(ip, "registration");
  }

  #from(ip: string, kind: string): FailureCounter {
    const key = `${kind}:${toKeySegment(toNetwork(ip))}`;
    return new FailureCounter(this.#counters, key, this.#options.perAddress, this.#blocked);
  }
}

/**
 * Checks a password, unless too many checks failed for the account or from the caller's IP address (OWASP ASVS 5.0,
 * 6.3.1).
 *
 * Only failures count, so any number of right passwords can be checked at the same time. The limit is read after the
 * check, too: if parallel guesses reached it, no response says which guess was right. Before the check, only this
 * process's memory of reached limits counts.
 * @param email the name of the account
 * @param verify returns `undefined` for a wrong password, or throws an RpcError with the status 401 or 403
 * @throws RpcError `too_many_attempts`, StorageUnavailableError, and any error of `verify`
 */
export async function guardPassword<T>(
  call: Call,
  email: string,
  verify: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const counters = countersOf(call, email);
  const [account] = counters;
  if (account === undefined) return verify();
  assertWithin(counters.map((counter) => counter.recall()));
  let verified: T | undefined;
  let rejection: unknown;
  try {
    verified = await verify();
  } catch (error) {
    if (!isRejection(error)) throw error;
    rejection = error;
  }
  if (verified === undefined) {
    assertWithin(await Promise.all(counters.map((counter) => counter.add())));
    if (rejection !== undefined) throw rejection;
    return undefined;
  }
  const states = await Promise.all(counters.map((counter) => counter.read()));
  assertWithin(states);
  if (states[0]?.count !== 0) await tryToUncount(call, () => account.clear());
  return verified;
}

/**
 * Like {@link guardPassword}, for a check that changes something if the password is right. It can't be rejected after
 * that, so each attempt counts before the check. The count is taken back unless the password was wrong.
 * @param change returns `false` for a wrong password, or throws an RpcError with the status 401 or 403
 */
export async function guardPasswordChange(
  call: Call,
  email: string,
  change: () => Promise<boolean>,
): Promise<boolean> {
  const counters = countersOf(call, email);
  const [account, address] = counters;
  if (account === undefined) return change();
  const states = await Promise.all(counters.map((counter) => counter.add()));
  let changed: boolean;
  try {
    assertWithin(states);
    changed = await change();
  } catch (error) {
    if (!isRejection(error)) {
      await tryToUncount(call, () => Promise.all(counters.map((counter) => counter.takeBack())));
    }
    throw error;
  }
  if (changed) {
    await tryToUncount(call, () => Promise.all([account.clear(), address?.takeBack()]));
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
    const registrations = loginLimiter.registrationsFrom(ip);
    assertWithin([registrations.recall()], tooManyRegistrations);
    assertWithin([await registrations.add()], tooManyRegistrations);
  }
  return register();
}

// --- Internal helpers ---

interface LimitState {
  readonly count: number;
  /** Seconds until the next attempt is allowed; 0 if it is allowed now. */
  readonly wait: number;
}

/** The keys that have reached their limit: when this process read that, and when the window ends (epoch milliseconds). */
type BlockedKeys = LRUCache<string, { readonly since: number; readonly endsAt: number }>;

/** Milliseconds in which a process trusts a reached limit. After that it reads the count again, which may be cleared. */
const trustedFor = 1000;

/** One counter, with its limit. */
class FailureCounter {
  readonly #counters: Counters;
  readonly #key: string;
  readonly #limit: number;
  readonly #blocked: BlockedKeys;

  constructor(counters: Counters, key: string, limit: number, blocked: BlockedKeys) {
    this.#counters = counters;
    this.#key = key;
    this.#limit = limit;
    this.#blocked = blocked;
  }

  /** The state as this process remembers it, without a read. */
  recall(): LimitState {
    const { since, endsAt } = this.#blocked.get(this.#key) ?? { since: 0, endsAt: 0 };
    const now = Date.now();
    const isBlocked = now < Math.min(endsAt, since + trustedFor);
    return { count: this.#limit, wait: isBlocked ? Math.ceil((endsAt - now) / 1000) : 0 };
  }

  /** The stored state, before another attempt. */
  async read(): Promise<LimitState> {
    const { count, endsIn } = this.#remember(await this.#counters.read(this.#key));
    return { count, wait: count < this.#limit ? 0 : endsIn };
  }

  /** Counts one attempt. @returns the state, in which this attempt counts */
  async add(): Promise<LimitState> {
    const { count, endsIn } = this.#remember(await this.#counters.add(this.#key));
    return { count, wait: count <= this.#limit ? 0 : endsIn };
  }

  takeBack(): Promise<void> {
    this.#blocked.delete(this.#key);
    return this.#counters.takeBack(this.#key);
  }

  clear(): Promise<void> {
    this.#blocked.delete(this.#key);
    return this.#counters.clear(this.#key);
  }

  #remember(state: CounterState): CounterState {
    const since = Date.now();
    if (state.count >= this.#limit) {
      this.#blocked.set(this.#key, { since, endsAt: since + state.endsIn * 1000 });
    }
    return state;
  }
}

const tooManyRegistrations = "Too many accounts were registered from this address";

/** The counter of the account, and that of the IP address if it is known; none if the config sets no limit. */
function countersOf(
  { request, runtime, services }: Call,
  email: string,
): readonly FailureCounter[] {
  const { loginLimiter } = runtime;
  if (loginLimiter === undefined) return [];
  const { ip } = request.client;
  const account = loginLimiter.ofAccount(services.realm.name, email);
  return ip === undefined ? [account] : [account, loginLimiter.ofAddress(ip)];
}

/** @throws RpcError `too_many_attempts` */
function assertWithin(states: readonly LimitState[], detail?: string): void {
  const wait = Math.max(...states.map((state) => state.wait));
  if (wait === 0) return;
  throw new RpcError("too_many_attempts", { detail, headers: { "retry-after": String(wait) } });
}

/** Whether an `auth` rejects the password by an error. */
function isRejection(error: unknown): boolean {
  return isInstance(error, RpcError) && (error.status === 401 || error.status === 403);
}

/** Makes a count smaller. If that fails, the call goes on, and the count ends with its window. */
async function tryToUncount(call: Call, change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    call.log.warn("Logins that did not fail stay counted", { error: describeError(error) });
  }
}
