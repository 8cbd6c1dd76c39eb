import {
  createCommerceMethods,
  createCommerceSystem,
  openBasketLeases,
  openGrantEndings,
  openShopGrants,
  settleGrant,
} from "#commerce";
import { createAccounts } from "../rpc/accounts/accounts.ts";
import { createPublicCaches } from "../rpc/cache/public-caches.ts";
import { BackgroundWork } from "../rpc/background-work.ts";
import { createFingerprints } from "../rpc/idempotency/fingerprints.ts";
import { isBasket } from "../rpc/lists/basket.ts";
import type { RpcMethods } from "../rpc/method.ts";
import { builtinMethods } from "../rpc/methods/builtin.ts";
import type { CommerceBackend } from "../rpc/commerce/commerce-backend.ts";
import type { CommerceSystem } from "../rpc/commerce/commerce-system.ts";
import type { GrantSweeper } from "../rpc/commerce/grant-sweeper.ts";
import { TokenRenewals } from "../rpc/session/token-renewals.ts";
import type { PublicShop } from "../rpc/shop.ts";
import type { ShopServices } from "../rpc/shop-services.ts";
import { isWishlist } from "../rpc/lists/wishlist.ts";
import type { Clock } from "../storage/clock.ts";
import type { Random } from "../storage/random.ts";
import { createLocalCacheStorage } from "../storage/cache/cache-storage.ts";
import { openSharedCache } from "../storage/cache/shared-cache.ts";
import type { Capabilities, DocumentStore } from "../storage/documents/documents.ts";
import { openDriver } from "../storage/open-driver.ts";
import type { StorageConfig } from "../storage/documents/driver.ts";
import { SessionGenerations } from "../storage/sessions/generations.ts";
import { openSessionCache } from "../storage/sessions/session-cache.ts";
import { SessionStore } from "../storage/sessions/session-store.ts";
import { openDocumentStore, type Intercept } from "../storage/store.ts";
import { UserSessionIndex } from "../storage/sessions/user-sessions.ts";
import { createSealer } from "../storage/documents/sealer.ts";
import type { Logger } from "../shared/log.ts";
import type { Observer } from "./observer.ts";
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
  readonly clock: Clock;
  /** Receives the events of calls, storages, and sessions; absent if the config has no telemetry. */
  readonly observer: Observer | undefined;
  readonly shops: ReadonlyMap<Shop, ShopServices>;
  /** The methods of all shops. */
  readonly methods: RpcMethods;
  readonly accounts: DocumentStore;
  /** The connections to commerce systems. */
  readonly systems: readonly CommerceSystem[];
  readonly caches: ReturnType<typeof createPublicCaches>;
  readonly background: BackgroundWork;
  /** Each ends the grants and other data of the ended sessions of one storage. */
  readonly sweepers: readonly GrantSweeper[];
  readonly stores: readonly DocumentStore[];
  readonly descriptions: readonly StoreInfo[];
}

/** Opens each storage of the config once, and creates the services of each shop. */
export function openServices(
  options: StorefrontOptions,
  {
    clock,
    random,
    observer,
    intercept,
  }: {
    readonly clock: Clock;
    readonly random: Random;
    readonly observer?: Observer | undefined;
    readonly intercept?: Intercept | undefined;
  },
): Services {
  const { shops, storage, log } = options;
  const stores = new Map<StorageConfig, { store: DocumentStore; uses: Set<string> }>();
  const sessionStores = new Map<DocumentStore, ReturnType<typeof openSessions>>();
  const realms = new Map<string, ReturnType<typeof createRealm>>();

  function open(config: StorageConfig, use: (typeof kinds)[number]): DocumentStore {
    const { store, uses } = getOrCreate(stores, config, () => ({
      store: openDocumentStore(openDriver(config), { log, clock, random, observer, intercept }),
      uses: new Set<string>(),
    }));
    uses.add(use);
    return store;
  }

  const accounts = open(storage.account, "accounts");
  const auth = options.auth ?? createAccounts(accounts, options.mailer);
  const background = new BackgroundWork(options.callTimeout, clock, random);
  const methods = createMethods(options);
  const systems = new Map<CommerceBackend, CommerceSystem>();
  const systemOf = (backend: CommerceBackend, shop: PublicShop) =>
    getOrCreate(systems, backend, () => createCommerceSystem(backend, shop, log));
  const timeLimit = options.callTimeout;
  const caches = createPublicCaches({ timeLimit, log, clock, observer });

  const entries = shops.map((shop): [Shop, ShopServices] => {
    const realm = getOrCreate(realms, shop.realm, () => createRealm(shop.realm));
    const store = open(shop.storage.session, "sessions");
    const baskets = open(shop.storage.basket, "baskets");
    const sessionStore = getOrCreate(sessionStores, store, () => openSessions(store, log));
    const { feed, generations, users, endings, sweeper, openCache } = sessionStore;
    const index = getOrCreate(users, shop.realm, () => {
      const created = new UserSessionIndex(store, generations, shop.realm, endings);
      realm.users.push(created);
      return created;
    });
    const cache = openSessionCache(shop.shopId, store, feed, shop.session);
    const sessions = new SessionStore(shop.shopId, index, shop.session, cache);
    const system = shop.commerce && systemOf(shop.commerce, shop.public);
    system?.onReturn(() => sweeper?.hurry());
    const opened: ShopServices = {
      shop: shop.public,
      clock,
      random,
      observer,
      methods: methods.get(shop) as RpcMethods,
      auth: shop.commerce?.accounts ?? auth,
      mailer: (shop.commerce?.accounts ?? options.auth) === undefined ? options.mailer : undefined,
      background,
      commerce: shop.commerce,
      system,
      basketLeases: shop.commerce && openBasketLeases(baskets, shop.shopId),
      grants: openShopGrants({ ...shop, ...shop.session }, store, endings, sessions),
      realm,
      generations,
      sessions,
      isShared: store.capabilities.atomic === "cluster",
      tokenRenewals: new TokenRenewals(store, sessions),
      sealer: createSealer(shop.session.encryptionKeys, "session tokens", random),
      fingerprints: createFingerprints(shop.session.encryptionKeys),
      cache: caches.open(shop.public, openCache(shop.shopId), system),
      baskets: baskets.collection(`basket:${shop.shopId}`, isBasket, "setAside"),
      wishlists: baskets.collection(`wishlist:${shop.shopId}`, isWishlist, "setAside"),
      basketOptions: shop.basket,
      wishlistOptions: shop.wishlist,
    };
    realm.shops.set(shop.shopId, opened);
    if (shop.commerce?.grants?.end !== undefined) {
      endings?.add(sessions, (entry, closing) => settleGrant(opened, log, entry, closing));
    }
    return [shop, opened];
  });
  return {
    clock,
    observer,
    systems: [...systems.values()],
    methods: Object.assign({}, ...methods.values()) as RpcMethods,
    shops: new Map(entries),
    accounts,
    caches,
    background,
    sweepers: [...sessionStores.values()].flatMap(({ sweeper }) => sweeper ?? []),
    stores: [...stores.values()].map(({ store }) => store),
    descriptions: [...stores.values()].map(({ store, uses }) => ({
      uses: kinds.filter((kind) => uses.has(kind)).join(", "),
      driver: store.driver,
      capabilities: store.capabilities,
    })),
  };
}

// --- Internal helpers ---

const kinds = ["sessions", "baskets", "accounts"] as const;

function getOrCreate<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}

/** The methods of each shop. Shops with the same backend have the same methods. */
function createMethods({ shops, methods }: StorefrontOptions): ReadonlyMap<Shop, RpcMethods> {
  const byBackend = new Map<CommerceBackend | undefined, RpcMethods>();
  const own = Object.entries(methods).filter(([, method]) => (method as unknown) !== undefined);
  return new Map(
    shops.map((shop) => {
      const { commerce } = shop;
      const create = () =>
        Object.assign(
          {},
          builtinMethods,
          commerce && createCommerceMethods(commerce),
          Object.fromEntries(own),
        ) as RpcMethods;
      return [shop, getOrCreate(byBackend, commerce, create)];
    }),
  );
}

/** A realm without its shops. */
function createRealm(name: string) {
  const users: UserSessionIndex[] = [];
  return { name, shops: new Map<number, ShopServices>(), users };
}

/** The parts that all shops on a storage share: for example one feed, because a feed can need a connection. */
function openSessions(store: DocumentStore, log: Logger) {
  const feed = store.watch("session");
  const generations = new SessionGenerations(store, feed);
  const users = new Map<string, UserSessionIndex>();
  const { endings, sweeper } = openGrantEndings(store, generations, log) ?? {};
  const isShared = store.capabilities.atomic === "cluster";
  const openCache = isShared ? openSharedCache(store) : createLocalCacheStorage;
  return { feed, generations, users, endings, sweeper, openCache };
}
