import type { LoginAttemptsOptions } from "../../rpc/accounts/login-limiter.ts";
import type { BasketOptions, WishlistOptions } from "../../rpc/shop.ts";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import type { SessionConfig, ShopConfig, ShopStorageConfig, StorefrontConfig } from "./config.ts";
import {
  basketDefaults,
  corsDefaults,
  defaultAbsoluteTimeout,
  httpDefaults,
  loginAttemptsDefaults,
  serverDefaults,
  sessionDefaults,
  wishlistDefaults,
  type ServerDefaults,
  type SessionDefaults,
} from "./defaults.ts";
import type { Environment } from "./environment.ts";
import type { CorsOptions, ServerOptions } from "./options.ts";
import {
  byDefault,
  defaults,
  derived,
  mergeLayers,
  toValues,
  written,
  type Setting,
  type Settings,
} from "./layers.ts";

/** All that is decided for one shop, by the groups of the config. */
export interface ShopSettings {
  readonly shop: Settings<ShopValues>;
  readonly session: Settings<SessionValues>;
  readonly cors: Settings<CorsOptions>;
  readonly storage: Settings<StorageValues>;
  readonly basket: Settings<BasketOptions>;
  readonly wishlist: Settings<WishlistOptions>;
}

/** All that is decided for the whole server, by the groups of the config. */
export interface ServerSettings {
  readonly server: Settings<ServerDefaults>;
  readonly storage: Settings<ServerStorageValues>;
  /** Each is `undefined` where there is no limit. */
  readonly loginAttempts: Settings<LoginAttemptsValues>;
  readonly admin: Settings<AdminValues>;
  /** The group `server` of the config. */
  readonly http: Settings<ServerOptions>;
}

/** A whole config, decided. */
export interface ConfigSettings {
  readonly server: ServerSettings;
  readonly shops: readonly ShopSettings[];
}

/** The session settings of a shop. */
export interface SessionValues extends SessionDefaults {
  readonly secret: SessionConfig["secret"];
  readonly domain: SessionConfig["domain"];
  readonly cache: SessionConfig["cache"];
  /** By default the `secret`, which may be missing in development. */
  readonly encryptionKeys: SessionConfig["encryptionKeys"];
  readonly idleTimeout: number;
  readonly absoluteTimeout: number;
  readonly guestIdleTimeout: number;
  readonly guestAbsoluteTimeout: number | undefined;
}

/** Decides what a config leaves open, and remembers where each value comes from. */
export function decideSettings(
  config: StorefrontConfig,
  { production }: Environment = { production: false },
): ConfigSettings {
  // The same object at several places means the same storage.
  const memory = byDefault<StorageConfig>({ driver: "memory" });
  const storage = decideStorage(config.storage, ["storage"], { session: memory });
  const account = derived("storage.basket", storage.basket.value);
  const attempts = ["loginAttempts"];
  const off = { value: undefined, from: "loginAttempts", isWritten: true };
  return {
    server: {
      server: mergeLayers(
        defaults(serverDefaults),
        written(config, [], Object.keys(serverDefaults)),
      ),
      storage: mergeLayers<ServerStorageValues>(
        { account, singleProcess: byDefault(false), lossy: byDefault(false) },
        written<ServerStorageValues>(
          config.storage,
          ["storage"],
          ["account", "singleProcess", "lossy"],
        ),
      ),
      loginAttempts:
        config.loginAttempts === false
          ? { perAccount: off, perAddress: off, window: off }
          : mergeLayers<LoginAttemptsValues>(
              defaults(loginAttemptsDefaults),
              written(config.loginAttempts, attempts),
            ),
      admin: mergeLayers<AdminValues>(
        { token: byDefault(undefined) },
        written(config.admin, ["admin"]),
      ),
      http: mergeLayers<ServerOptions>(
        defaults({ ...httpDefaults, drainDelay: production ? httpDefaults.drainDelay : 0 }),
        written(config.server, ["server"]),
      ),
    },
    shops: config.shops.map((shop, index) => ({
      shop: decidePlace(config.shops, index),
      session: decideSession(config.session, shop.session, index),
      cors: decideGroup("cors", corsDefaults, config, index),
      storage: decideStorage(shop.storage, ["shops", index, "storage"], storage),
      basket: decideGroup("basket", basketDefaults, config, index),
      wishlist: decideGroup("wishlist", wishlistDefaults, config, index),
    })),
  };
}

// --- Internal helpers ---

interface ShopValues {
  readonly shopId: number;
  readonly locale: string;
  readonly currency: string;
  readonly host: string | readonly string[] | undefined;
  readonly path: string | undefined;
  readonly realm: string;
  readonly isDefault: boolean;
}

interface ServerStorageValues {
  readonly account: StorageConfig;
  readonly singleProcess: boolean;
  readonly lossy: boolean;
}

interface AdminValues {
  readonly token: string | readonly string[] | undefined;
}

interface StorageValues {
  readonly session: StorageConfig;
  readonly basket: StorageConfig;
}

type LoginAttemptsValues = {
  readonly [Key in keyof LoginAttemptsOptions]: number | undefined;
};

/** Where no shop says that it is the default, the first is. */
function decidePlace(shops: readonly ShopConfig[], index: number): Settings<ShopValues> {
  const shop = shops[index] as ShopConfig;
  const chosen = shops.findIndex(({ isDefault }) => isDefault);
  const { shopId, locale, currency, host, path, realm } = shop;
  const { isDefault = byDefault(false), ...said } = written<ShopValues>(
    { shopId, locale, currency, host, path, realm, isDefault: shop.isDefault },
    ["shops", index],
  );
  return {
    ...defaults<Omit<ShopValues, "isDefault">>({
      shopId,
      locale,
      currency,
      host,
      path,
      realm: "default",
    }),
    ...said,
    isDefault: chosen === -1 ? byDefault(index === 0) : isDefault,
  };
}

function decideSession(
  global: SessionConfig | undefined,
  own: SessionConfig | undefined,
  index: number,
): Settings<SessionValues> {
  const layers = [
    written<SessionValues>(global, ["session"]),
    written<SessionValues>(own, ["shops", index, "session"]),
  ];
  const { maxAge, idleTimeout, absoluteTimeout, secret } = toValues(
    mergeLayers<SessionDefaults & Partial<SessionValues>>(defaults(sessionDefaults), ...layers),
  );
  return mergeLayers<SessionValues>(
    {
      ...defaults({ ...sessionDefaults, secret: undefined, domain: undefined, cache: undefined }),
      encryptionKeys: derived("session.secret", secret),
      idleTimeout: derived("session.maxAge", maxAge),
      guestIdleTimeout: derived("session.idleTimeout", idleTimeout ?? maxAge),
      absoluteTimeout:
        maxAge > defaultAbsoluteTimeout
          ? derived("session.maxAge", maxAge)
          : byDefault(defaultAbsoluteTimeout),
      guestAbsoluteTimeout:
        absoluteTimeout === undefined
          ? byDefault(undefined)
          : derived("session.absoluteTimeout", absoluteTimeout),
    },
    ...layers,
  );
}

function decideStorage(
  config: ShopStorageConfig | undefined,
  place: readonly PropertyKey[],
  outer: { readonly session: Setting<StorageConfig>; readonly basket?: Setting<StorageConfig> },
): Settings<StorageValues> {
  const { session = outer.session, basket = outer.basket } = written<StorageValues>(config, place);
  const follows = derived("storage.session", session.value);
  return { session, basket: basket?.isWritten ? basket : follows };
}

/** A group that all shops have defaults of. */
function decideGroup<Values extends object>(
  group: "cors" | "basket" | "wishlist",
  values: Values,
  config: StorefrontConfig,
  index: number,
): Settings<Values> {
  return mergeLayers<Values>(
    defaults(values),
    written<Values>(config[group] as Partial<Values> | undefined, [group]),
    written<Values>(config.shops[index]?.[group] as Partial<Values> | undefined, [
      "shops",
      index,
      group,
    ]),
  );
}
