import { LRUCache } from "lru-cache";
import type { Counters, CounterState } from "../../storage/documents/counters.ts";
import type { DocumentStore } from "../../storage/documents/documents.ts";
import { toKeySegment } from "../../storage/documents/key.ts";
import { describeError, isInstance } from "../../shared/log.ts";
import { normaliseEmail } from "./accounts.ts";
import type { Call } from "../call.ts";
import { RpcError } from "../error.ts";
import { toNetwork } from "./network.ts";

/** How many failed logins there may be, and registrations from one address; `window` in seconds. */
export interface LoginAttemptsOptions {
  readonly perAccount: number;
  readonly perAddress: number;
  readonly window: number;
}

/** The failed logins of all accounts, and from all addresses, and the registrations from each address. */
export class LoginLimiter {
  readonly #attempts: Counters;
  readonly #options: LoginAttemptsOptions;
  readonly #blocked: BlockedKeys = new LRUCache({ max: 10_000 });

  constructor(store: DocumentStore, options: LoginAttemptsOptions) {
    this.#attempts = store.counters("login-attempts", options.window);
    this.#options = options;
  }

  /** Those of an account, also where there is none of this name: an answer must not tell. */
  ofAccount(realm: string, email: string): FailureCounter {
    const key = `account:${toKeySegment(realm)}:${toKeySegment(normaliseEmail(email))}`;
    return new FailureCounter(this.#attempts, key, this.#options.perAccount, this.#blocked);
  }

  /** Those from an address. */
  ofAddress(ip: string): FailureCounter {
    return this.#from(ip, "address");
  }

  /** The registrations from an IP address, successful or not. */
  registrationsFrom(ip: string): FailureCounter {
    return this.#from(ip, "registration");
  }

  #from(ip: string, kind: string): FailureCounter {
    const key = `${kind}:${toKeySegment(toNetwork(ip))}`;
    return new FailureCounter(this.#attempts, key, this.#options.perAddress, this.#blocked);
  }
}

/**
 * Checks a password, unless there were too many wrong ones for its account or from the caller's address
 * (OWASP ASVS 5.0, 6.3.1).
 *
 * Right ones are not counted, so any number of them may come at once. But where the limit is reached while
 * a password is being checked, nobody is told whether it was right: guesses that are sent all at once find
 * out no more than those that are sent one by one. So the count is only asked for then; before, this process
 * refuses what it knows to be refused.
 * @param email names the account
 * @param verify gives `undefined` for a wrong password, or throws an RpcError of 401 or 403
 * @throws RpcError `too_many_attempts`, StorageUnavailableError, and what `verify` throws
 */
export async function guardPassword<T>(
  call: Call,
  email: string,
  verify: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const { loginLimiter } = call.runtime;
  if (loginLimiter === undefined) return verify();
  const { ip } = call.request.client;
  const account = loginLimiter.ofAccount(call.services.realm.name, email);
  const counted = ip === undefined ? [account] : [account, loginLimiter.ofAddress(ip)];
  assertFew(counted.map((failures) => failures.recall()));
  let verified: T | undefined;
  let refusal: unknown;
  try {
    verified = await verify();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    refusal = error;
  }
  if (verified === undefined) {
    assertFew(await Promise.all(counted.map((failures) => failures.add())));
    if (refusal !== undefined) throw refusal;
    return undefined;
  }
  const states = await Promise.all(counted.map((failures) => failures.read()));
  assertFew(states);
  if (states[0]?.count !== 0) await attemptLess(call, () => account.clear());
  return verified;
}

/**
 * As {@link guardPassword}, for a check that changes something when the password is right: too late to
 * reject it then. So each attempt is counted before the check, and the count is taken back unless the password was wrong.
 * @param change gives `false` for a wrong password, or throws an RpcError of 401 or 403
 */
export async function guardPasswordChange(
  call: Call,
  email: string,
  change: () => Promise<boolean>,
): Promise<boolean> {
  const { loginLimiter } = call.runtime;
  if (loginLimiter === undefined) return change();
  const { ip } = call.request.client;
  const account = loginLimiter.ofAccount(call.services.realm.name, email);
  const address = ip === undefined ? undefined : loginLimiter.ofAddress(ip);
  const counted = address === undefined ? [account] : [account, address];
  const states = await Promise.all(counted.map((failures) => failures.add()));
  let changed: boolean;
  try {
    assertFew(states);
    changed = await change();
  } catch (error) {
    if (!isRefusal(error)) {
      await attemptLess(call, () => Promise.all(counted.map((failures) => failures.takeBack())));
    }
    throw error;
  }
  if (changed) {
    await attemptLess(call, () => Promise.all([account.clear(), address?.takeBack()]));
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
  if (ip !== undefined) {
    const registrations = call.runtime.loginLimiter?.registrationsFrom(ip);
    if (registrations !== undefined) {
      assertFew([registrations.recall()], tooManyRegistrations);
      assertFew([await registrations.add()], tooManyRegistrations);
    }
  }
  return register();
}

// --- Internal helpers ---

interface LimitState {
  readonly count: number;
  /** Seconds until the next may be tried; 0: at once. */
  readonly wait: number;
}

/** The keys whose limit is reached: since when this process knows, and until when; epoch milliseconds. */
type BlockedKeys = LRUCache<string, { readonly since: number; readonly endsAt: number }>;

/** For so many milliseconds a process believes what it knows: an operator may have set the count to 0. */
const trustedFor = 1000;

/** FailureCounter that are counted together. */
class FailureCounter {
  readonly #attempts: Counters;
  readonly #key: string;
  readonly #limit: number;
  readonly #blocked: BlockedKeys;

  constructor(attempts: Counters, key: string, limit: number, blocked: BlockedKeys) {
    this.#attempts = attempts;
    this.#key = key;
    this.#limit = limit;
    this.#blocked = blocked;
  }

  /** Whether another may be tried, as far as this process knows. */
  recall(): LimitState {
    const { since, endsAt } = this.#blocked.get(this.#key) ?? { since: 0, endsAt: 0 };
    const now = Date.now();
    const isReached = now < Math.min(endsAt, since + trustedFor);
    return { count: this.#limit, wait: isReached ? Math.ceil((endsAt - now) / 1000) : 0 };
  }

  /** Whether another may be tried. */
  async read(): Promise<LimitState> {
    const tally = this.#remember(await this.#attempts.read(this.#key));
    return { count: tally.count, wait: tally.count < this.#limit ? 0 : tally.endsIn };
  }

  /** Counts one. @returns whether it is within the limit */
  async add(): Promise<LimitState> {
    const tally = this.#remember(await this.#attempts.add(this.#key));
    return { count: tally.count, wait: tally.count <= this.#limit ? 0 : tally.endsIn };
  }

  takeBack(): Promise<void> {
    this.#blocked.delete(this.#key);
    return this.#attempts.takeBack(this.#key);
  }

  clear(): Promise<void> {
    this.#blocked.delete(this.#key);
    return this.#attempts.clear(this.#key);
  }

  #remember(tally: CounterState): CounterState {
    const since = Date.now();
    if (tally.count >= this.#limit) {
      this.#blocked.set(this.#key, { since, endsAt: since + tally.endsIn * 1000 });
    }
    return tally;
  }
}

const tooManyRegistrations = "Too many accounts were registered from this address";

function assertFew(states: readonly LimitState[], detail?: string): void {
  const wait = Math.max(...states.map((state) => state.wait));
  if (wait === 0) return;
  throw new RpcError("too_many_attempts", { detail, headers: { "retry-after": String(wait) } });
}

/** How an `auth` says by an error that the password is wrong. */
function isRefusal(error: unknown): boolean {
  return isInstance(error, RpcError) && (error.status === 401 || error.status === 403);
}

/** Makes a count smaller. Where that fails, the call goes on: the count ends by itself. */
async function attemptLess(call: Call, change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    call.log.warn("Logins that did not fail stay counted", { error: describeError(error) });
  }
}
