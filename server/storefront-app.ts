import type { H3 } from "h3";
import type { StorefrontOptions } from "./config/options.ts";
import type { pageCalls, PageCalls } from "./page-calls.ts";
import type { StoreInfo } from "./services.ts";

/** A storefront: an h3 app, with its options and storages. */
export type Storefront = H3 & {
  /** For `createRpcCaller`. */
  readonly [pageCalls]: PageCalls;
  readonly options: StorefrontOptions;
  /** The storages in use, and their guarantees. */
  readonly stores: readonly StoreInfo[];
  /**
   * Loads the drivers that the config names. Without it, the first call loads them. `storefront start` waits for it.
   * @throws any error of a driver about its options
   */
  ready(): Promise<void>;
  /**
   * Tries a read and a write on each storage, as calls do. `/readyz` runs it once a second at most.
   * @throws StorageUnavailableError
   */
  checkStorages(): Promise<void>;
  /** Makes `/readyz` respond 503 `draining` from now on, so that load balancers stop sending calls. */
  drain(): void;
  /**
   * Waits for mails in progress, ends all timers and caches, and closes all storages, also those of your driver
   * objects. Close your own server first, because later requests get 503 `draining`.
   */
  close(): Promise<void>;
};
