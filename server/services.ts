import { isBasket } from "../rpc/lists/basket.ts";
import type { ShopServices } from "../rpc/shop.ts";
import { isWishlist } from "../rpc/lists/wishlist.ts";
import type { Capabilities, DocumentStore } from "../storage/documents/documents.ts";
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
  const sessionStores = new Map<DocumentStore, ReturnType<typeof openSessions>>();
  const realms = new Map<string, ReturnType<typeof createRealm>>();

  function open(config: StorageConfig, use: string): DocumentStore {
    const { store, uses } = getOrCreate(stores, config, () => ({
      store: openDocumentStore(openDriver(config), { log }),
      uses: new Set<string>(),
    }));
    uses.add(use);
    return store;
  }

  const entries = shops.map((shop): [Shop, ShopServices] => {
    const realm = getOrCreate(realms, shop.realm, () => createRealm(shop.realm));
    const store = open(shop.storage.session, "sessions");
    const baskets = open(shop.storage.basket, "baskets");
    const { feed, generations, users } = getOrCreate(sessionStores, store, () =>
      openSessions(store),
    );
    const index = getOrCreate(users, shop.realm, () => {
      const created = new UserSessionIndex(store, generations, shop.realm);
      realm.users.push(created);
      return created;
    });
    const cache = openSessionCache(shop.shopId, store, feed, shop.session);
    const opened: ShopServices = {
      shop: shop.public,
      realm,
      generations,
      sessions: new SessionStore(shop.shopId, store, index, generations, shop.session, cache),
      sealer: createSealer(shop.session.encryptionKeys, "session tokens"),
      baskets: baskets.collection(`basket:${shop.shopId}`, isBasket, "setAside"),
      wishlists: baskets.collection(`wishlist:${shop.shopId}`, isWishlist, "setAside"),
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

function getOrCreate<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}

/** A realm without its shops. */
function createRealm(name: string) {
  const users: UserSessionIndex[] = [];
  return { name, shops: new Map<number, ShopServices>(), users };
}

/** The parts that all shops on a storage share: for example one feed, because a feed can need a connection. */
function openSessions(store: DocumentStore) {
  const feed = store.watch("session");
  const generations = new SessionGenerations(store, feed);
  return { feed, generations, users: new Map<string, UserSessionIndex>() };
}
