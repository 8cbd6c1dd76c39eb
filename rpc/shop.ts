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
import type { Basket } from "./lists/basket.ts";
import type { Wishlist } from "./lists/wishlist.ts";
import type { RpcMethods } from "./method.ts";

/** The public settings of a shop, for methods and frontends. */
export interface PublicShop {
  readonly shopId: number;
  /** A BCP 47 language tag, for example `de-DE`. */
  readonly locale: string;
  /** An ISO 4217 code, for example `EUR`. */
  readonly currency: string;
  /** The hosts of the shop. `*.shop.example` is every host below `shop.example`. */
  readonly host?: string | string[] | undefined;
  /** The first segment of the shop's paths. */
  readonly path?: string | undefined;
}

/** How a login merges a guest's basket into the user's. */
export type MergeStrategy = "merge" | "useGuest" | "useExisting" | "useGuestIfExistingEmpty";

/** The settings of a shop's baskets, with defaults. */
export interface BasketOptions {
  readonly mergeStrategy: MergeStrategy;
  /** The most lines of a basket after a change. */
  readonly maxItems: number;
  /** The most items of one line. */
  readonly maxQuantity: number;
}

/** The settings of a shop's wishlists, with defaults. */
export interface WishlistOptions {
  /** The most items of a wishlist after a change. */
  readonly maxItems: number;
}

/** The storage and the settings that the calls of one shop use, created at startup. */
export interface ShopServices {
  readonly shop: PublicShop;
  readonly clock: Clock;
  readonly random: Random;
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
  readonly realm: Realm;
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

/** A set of shops that share customer accounts. */
export interface Realm {
  readonly name: string;
  readonly shops: ReadonlyMap<number, ShopServices>;
  /** The indexes of users' sessions, one for each storage of the realm's sessions. */
  readonly users: readonly UserSessionIndex[];
}
