import { isBasket } from "../rpc/lists/basket.ts";
import type { Realm, ShopServices } from "../rpc/shop-services.ts";
import { isWishlist } from "../rpc/lists/wishlist.ts";
import type { ChangeFeed, Capabilities, DocumentStore } from "../storage/documents/documents.ts";
import { openDriver } from "../storage/open-driver.ts";
import type { StorageConfig } from "../storage/documents/driver.ts";
import { SessionGenerations } from "../storage/sessions/generations.ts";
import { openSessionCache } from "../storage/sessions/session-cache.ts";
import { SessionStore } from "../storage/sessions/session-store.ts";
import { openDocumentStore } from "../storage/store.ts";
import { UserSessionIndex } from "../storage/sessions/user-sessions.ts";
import { createSealer } from "../storage/documents/sealer.ts";
import type { Shop, StorefrontOptions } from "./config/options.ts";

/** A storage in use, and its guarantees. */
export interface StoreInfo {
  /** The kinds of data in it, for example `sessions, baskets, accounts`. */
  readonly uses: string;
  readonly driver: string;
  readonly capabilities: Capabilities;
}

/** The open storages of a storefront, and the services of each shop. */
export interface Services {
  readonly shops: ReadonlyMap<Shop, ShopServices>;
  readonly accounts: DocumentStore;
  readonly stores: readonly DocumentStore[];
  readonly descriptions: readonly StoreInfo[];
}

/** Opens each storage of the config once, and creates the services of each shop. */
export function openServices({ shops, storage, log }: StorefrontOptions): Services {
  const stores = new Map<StorageConfig, { store: DocumentStore; uses: Set<string> }>();
  const realms = new Map<string, OpenRealm>();
  const feeds = new Map<DocumentStore, ChangeFeed>();
  const generationsByStore = new Map<DocumentStore, SessionGenerations>();

  function open(config: StorageConfig, use: string): DocumentStore {
    const known = stores.get(config);
    const opened = known ?? {
      store: openDocumentStore(openDriver(config), { log }),
      uses: new Set<string>(),
    };
    stores.set(config, opened);
    opened.uses.add(use);
    return opened.store;
  }

  /** All shops on a storage share one feed, because a feed can need a connection. */
  function feedOf(store: DocumentStore): ChangeFeed {
    const feed = feeds.get(store) ?? store.watch("session");
    feeds.set(store, feed);
    return feed;
  }

  function generationsOf(store: DocumentStore): SessionGenerations {
    const known = generationsByStore.get(store);
    const generations = known ?? new SessionGenerations(store, feedOf(store));
    generationsByStore.set(store, generations);
    return generations;
  }

  const entries = shops.map((shop): [Shop, ShopServices] => {
    const realm = realms.get(shop.realm) ?? new OpenRealm(shop.realm);
    realms.set(shop.realm, realm);
    const sessionStore = open(shop.storage.session, "sessions");
    const basketStore = open(shop.storage.basket, "baskets");
    const generations = generationsOf(sessionStore);
    const opened: ShopServices = {
      shop: shop.public,
      realm,
      generations,
      sessions: new SessionStore(
        shop.shopId,
        sessionStore,
        realm.usersIn(sessionStore, generations),
        generations,
        shop.session,
        openSessionCache(shop.shopId, sessionStore, feedOf(sessionStore), shop.session),
      ),
      sealer: createSealer(shop.session.encryptionKeys, "session tokens"),
      baskets: basketStore.collection(`basket:${shop.shopId}`, isBasket, "setAside"),
      wishlists: basketStore.collection(`wishlist:${shop.shopId}`, isWishlist, "setAside"),
      basketOptions: shop.basket,
      wishlistOptions: shop.wishlist,
    };
    realm.shops.set(shop.shopId, opened);
    return [shop, opened];
  });
  const accounts = open(storage.account, "accounts");
  return {
    shops: new Map(entries),
    accounts,
    stores: [...stores.values()].map(({ store }) => store),
    descriptions: [...stores.values()].map(({ store, uses }) => ({
      uses: [...uses].join(", "),
      driver: store.driver,
      capabilities: store.capabilities,
    })),
  };
}

// --- Internal helpers ---

/** A realm while its shops are being added. */
class OpenRealm implements Realm {
  readonly name: string;
  readonly shops = new Map<number, ShopServices>();
  readonly #users = new Map<DocumentStore, UserSessionIndex>();

  constructor(name: string) {
    this.name = name;
  }

  get users(): readonly UserSessionIndex[] {
    return [...this.#users.values()];
  }

  usersIn(store: DocumentStore, generations: SessionGenerations): UserSessionIndex {
    const users = this.#users.get(store) ?? new UserSessionIndex(store, generations, this.name);
    this.#users.set(store, users);
    return users;
  }
}
