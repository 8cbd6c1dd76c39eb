import { LRUCache } from "lru-cache";
import type { Clock } from "../../storage/clock.ts";
import type { Counters, CounterState, DocumentStore } from "../../storage/documents/documents.ts";
import { toKeySegment } from "../../storage/documents/key.ts";
import { normalizeEmail } from "./account-documents.ts";
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
  readonly #clock: Clock;
  /** The keys that have reached their limit: when this process read that, and when the window ends (epoch milliseconds). */
  readonly #blocked = new LRUCache<string, { readonly since: number; readonly endsAt: number }>({
    max: 10_000,
  });

  constructor(store: DocumentStore, options: LoginAttemptsOptions) {
    this.#counters = store.counters("login-attempts", options.window);
    this.#options = options;
    this.#clock = store.clock;
  }

  /**
   * The failed logins of an account, or the mails that calls request for it. Unknown accounts count, too, so a response
   * reveals no account.
   */
  ofAccount(realm: string, email: string, kind: "account" | "mail" = "account"): LimitedKey {
    const key = `${kind}:${toKeySegment(realm)}:${toKeySegment(normalizeEmail(email))}`;
    return { key, limit: this.#options.perAccount };
  }

  /** The failed logins from an IP address; or its registrations and requests for mails, successful or not. */
  ofAddress(ip: string, kind: "address" | "registration" | "mails"): LimitedKey {
    return { key: `${kind}:${toKeySegment(toNetwork(ip))}`, limit: this.#options.perAddress };
  }

  /** The seconds until the next attempt is allowed, as this process remembers it, without a read. */
  recall({ key }: LimitedKey): number {
    const { since, endsAt } = this.#blocked.get(key) ?? { since: 0, endsAt: 0 };
    const now = this.#clock.now();
    // A clock that was set back must not make an old count last.
    const isTrusted = Math.abs(now - since) < trustedFor;
    return isTrusted && now < endsAt ? Math.ceil((endsAt - now) / 1000) : 0;
  }

  /** The stored count, and the seconds until another attempt is allowed; 0 if it is allowed now. */
  async read({ key, limit }: LimitedKey): Promise<{ count: number; wait: number }> {
    const { count, endsIn } = this.#remember(key, limit, await this.#counters.read(key));
    return { count, wait: count < limit ? 0 : endsIn };
  }

  /** Counts one attempt. @returns the seconds until it is allowed; 0 if it is allowed now */
  async add({ key, limit }: LimitedKey): Promise<number> {
    const { count, endsIn } = this.#remember(key, limit, await this.#counters.add(key));
    return count <= limit ? 0 : endsIn;
  }

  takeBack({ key }: LimitedKey): Promise<void> {
    this.#blocked.delete(key);
    return this.#counters.takeBack(key);
  }

  clear({ key }: LimitedKey): Promise<void> {
    this.#blocked.delete(key);
    return this.#counters.clear(key);
  }

  #remember(key: string, limit: number, state: CounterState): CounterState {
    const since = this.#clock.now();
    const endsAt = since + state.endsIn * 1000;
    if (state.count >= limit) this.#blocked.set(key, { since, endsAt });
    return state;
  }
}

/** The key of a counter, and its limit. */
export interface LimitedKey {
  readonly key: string;
  readonly limit: number;
}

// --- Internal helpers ---

/** Milliseconds in which a process trusts a reached limit. After that it reads the count again, which may be cleared. */
const trustedFor = 1000;
