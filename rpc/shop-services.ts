import type { Collection } from "../storage/documents/documents.ts";
import type { SessionGenerations } from "../storage/sessions/generations.ts";
import type { SessionStore } from "../storage/sessions/session-store.ts";
import type { UserSessionIndex } from "../storage/sessions/user-sessions.ts";
import type { Sealer } from "../storage/documents/sealer.ts";
import type { Basket } from "./lists/basket.ts";
import type { BasketOptions, PublicShop, WishlistOptions } from "./shop.ts";
import type { Wishlist } from "./lists/wishlist.ts";

/** What the calls of one shop work on, put together once at boot. */
export interface ShopServices {
  readonly shop: PublicShop;
  readonly realm: Realm;
  readonly sessions: SessionStore;
  /** Of all shops whose sessions are in the same storage. */
  readonly generations: SessionGenerations;
  /** Seals the tokens that sessions keep. */
  readonly sealer: Sealer;
  readonly baskets: Collection<Basket>;
  readonly wishlists: Collection<Wishlist>;
  readonly basketOptions: BasketOptions;
  readonly wishlistOptions: WishlistOptions;
}

/** The shops that share customer accounts. */
export interface Realm {
  readonly name: string;
  readonly shops: ReadonlyMap<number, ShopServices>;
  /** One index for each storage that the realm's sessions are in. */
  readonly users: readonly UserSessionIndex[];
}
