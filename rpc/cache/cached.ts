import type { ReadonlyDeep } from "type-fest";
import type { AfterJson } from "../after-json.ts";
import type { PublicShop } from "../shop.ts";

/**
 * Returns a value from the cache of the shop, or loads it: once for equal reads at the same time. It is fresh for `ttl`
 * seconds. For as long again, the cache still returns it, and loads a new one in the background.
 * @param key 1 to 512 characters: all that the value depends on, except the shop, its locale, and its currency. All
 * methods of the shop share their keys.
 * @param ttl seconds, more than 0, up to 86,400
 * @param load returns a JSON value. It must not use the `headers`, the `ip`, or the `signal` of the method's context.
 * @returns the value after JSON, frozen, because its readers share it
 * @throws TypeError if the key, `ttl`, or the value is invalid; RpcError `timeout`; and any error of `load`
 */
export type Cached = <T>(
  key: string,
  ttl: number,
  load: (source: CacheSource) => T | Promise<T>,
) => Promise<CachedResult<T>>;

/** The argument of a load: nothing in it depends on a visitor. */
export interface CacheSource {
  readonly shop: PublicShop;
  /**
   * Aborts if the load takes longer than `callTimeout` (a TimeoutError), or if the server closes. It doesn't abort if a
   * client disconnects, because other calls wait for the same value.
   */
  readonly signal: AbortSignal;
  /**
   * `fetch` with this signal. In a shop with a commerce system, it is for that system: like `visit.fetch`, it has the
   * timeout and the circuit breaker of the backend.
   */
  readonly fetch: typeof globalThis.fetch;
  /**
   * Adds tags to the value: `invalidate` of any of them makes it invalid. A value has 1,000 tags at most.
   * @throws TypeError if a tag isn't a string of 1 to 128 characters; Error after the end of the load
   */
  tag(...tags: readonly string[]): void;
}

/** A value after JSON, deeply readonly. */
export type CachedResult<T> = unknown extends T
  ? T
  : ReadonlyDeep<AfterJson<Exclude<T, undefined>>> | Extract<T, undefined>;
