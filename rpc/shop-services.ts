import type { Collection } from "../storage/documents/documents.ts";
import type { SessionGenerations } from "../storage/sessions/generations.ts";
import type { SessionStore } from "../storage/sessions/session-store.ts";
import type { UserSessionIndex } from "../storage/sessions/user-sessions.ts";
import type { Sealer } from "../storage/documents/sealer.ts";
import type { Basket } from "./lists/basket.ts";
import type { BasketOptions, PublicShop, WishlistOptions } from "./shop.ts";
import type { Wishlist } from "./lists/wishlist.ts";

/** The storage and the settings that the calls of one shop use, created at startup. */
export interface ShopServices {
  readonly shop: PublicShop;
  readonly realm: Realm;
  readonly sessions: SessionStore;
  /** The generations of all shops that share the storage of sessions. */
  readonly generations: SessionGenerations;
  /** Encrypts the tokens in sessions. */
  readonly sealer: Sealer;
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
