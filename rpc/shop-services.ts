import type { Clock } from "../storage/clock.ts";
import type { Random } from "../storage/random.ts";
import type { Collection } from "../storage/documents/documents.ts";
import type { SessionGenerations } from "../storage/sessions/generations.ts";
import type { SessionStore } from "../storage/sessions/session-store.ts";
import type { UserSessionIndex } from "../storage/sessions/user-sessions.ts";
import type { Sealer } from "../storage/documents/sealer.ts";
import type { Leases } from "../storage/leases/leases.ts";
import type { Auth } from "./accounts/auth.ts";
import type { PublicCache } from "./cache/public-cache.ts";
import type { BasketLog } from "./commerce/basket-log.ts";
import type { Mailer } from "./accounts/mailer.ts";
import type { BackgroundWork } from "./background-work.ts";
import type { CommerceBackend } from "./commerce/commerce-backend.ts";
import type { CommerceSystem } from "./commerce/commerce-system.ts";
import type { Fingerprints } from "./idempotency/fingerprints.ts";
import type { ShopGrants } from "./commerce/shop-grants.ts";
import type { TokenRenewals } from "./session/token-renewals.ts";
import type { BasketOptions } from "./lists/basket-limits.ts";
import type { Basket } from "./lists/basket.ts";
import type { Wishlist, WishlistOptions } from "./lists/wishlist.ts";
import type { RpcMethods } from "./method.ts";
import type { RpcObserver } from "./rpc-observer.ts";
import type { PublicShop } from "./shop.ts";

/** The storage and the settings that the calls of one shop use, created at startup. */
export interface ShopServices {
  readonly shop: PublicShop;
  readonly clock: Clock;
  readonly random: Random;
  /** Receives the events of the calls; absent if nothing observes them. */
  readonly observer: RpcObserver | undefined;
  /** The built-in methods, those of the commerce system, and those of the config. */
  readonly methods: RpcMethods;
  readonly auth: Auth;
  /** Sends the mails of the built-in accounts; absent if the shop has other accounts. */
  readonly mailer: Mailer | undefined;
  /** Work after responses, of all shops. */
  readonly background: BackgroundWork;
  readonly commerce: CommerceBackend | undefined;
  /** The connection to the commerce system. */
  readonly system: CommerceSystem | undefined;
  /** Run one change at a time of each basket in the commerce system. */
  readonly basketLeases: Leases<BasketLog> | undefined;
  /** The visitors' grants of the commerce system; absent if it issues none. */
  readonly grants: ShopGrants | undefined;
  /** The set of shops that share customer accounts. */
  readonly realm: {
    readonly name: string;
    readonly shops: ReadonlyMap<number, ShopServices>;
    /** The indexes of users' sessions, one for each storage of the realm's sessions. */
    readonly users: readonly UserSessionIndex[];
  };
  readonly sessions: SessionStore;
  /** Whether other servers can write the sessions. */
  readonly isShared: boolean;
  /** The generations of all shops that share the storage of sessions. */
  readonly generations: SessionGenerations;
  readonly tokenRenewals: TokenRenewals;
  /** Encrypts the tokens in sessions. */
  readonly sealer: Sealer;
  /** Compares the payloads of calls with the same `Idempotency-Key`. */
  readonly fingerprints: Fingerprints;
  /** The cache of public reads. */
  readonly cache: PublicCache;
  readonly baskets: Collection<Basket>;
  readonly wishlists: Collection<Wishlist>;
  readonly basketOptions: BasketOptions;
  readonly wishlistOptions: WishlistOptions;
}
