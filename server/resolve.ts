import { getRandomValues } from "uncrypto";
import type { StorageConfig } from "../storage/driver.ts";
import { ConfigError, describeFound, toPath, type ConfigFault } from "./config-error.ts";
import { findConflicts } from "./config-rules.ts";
import { createConfigSchema } from "./config-schema.ts";
import type { SessionConfig, ShopConfig, ShopStorageConfig, StorefrontConfig } from "./config.ts";
import {
  basketDefaults,
  corsDefaults,
  defaultAbsoluteTimeout,
  loginAttemptsDefaults,
  mergeLayers,
  sessionDefaults,
  wishlistDefaults,
  type SessionDefaults,
} from "./defaults.ts";
import { createLog } from "./log.ts";
import type { CorsOptions, SessionOptions, Shop, StorefrontOptions } from "./options.ts";

/**
 * Checks a config and decides all that it leaves open.
 * @param mode `production` refuses what is fit for development only
 * @throws ConfigError with every fault
 */
export function resolveConfig(config: unknown, mode: { production: boolean }): StorefrontOptions {
  assertValid(config, mode);
  const storage = { ...config.storage, session: config.storage?.session ?? { driver: "memory" } };
  const account = storage.account ?? storage.basket ?? storage.session;
  const developmentSecret = createSecret();
  const shops = config.shops.map((shop, index) =>
    resolveShop(config, shop, storage, {
      isDefault: config.shops.some(({ isDefault }) => isDefault)
        ? shop.isDefault === true
        : index === 0,
      developmentSecret,
    }),
  );
  return {
    shops,
    basePath: config.basePath ?? "/api",
    shopSelector: config.shopSelector ?? "path_or_default",
    storage: { account },
    methods: config.methods ?? {},
    hooks: config.hooks ?? {},
    auth: config.auth,
    maxBodySize: config.maxBodySize ?? 100_000,
    callTimeout: config.callTimeout ?? 30,
    loginAttempts:
      config.loginAttempts === false
        ? undefined
        : mergeLayers(loginAttemptsDefaults, config.loginAttempts),
    adminTokens: [config.admin?.token ?? []].flat(),
    trustProxy: config.trustProxy ?? false,
    log: config.log ?? createLog(),
    warnings: findWarnings(shops, account, developmentSecret),
  };
}

// --- Internal helpers ---

interface Issue {
  readonly path: PropertyKey[];
  readonly message: string;
  readonly isUnknownKey?: boolean;
}

/** As zod gives it. */
interface RawIssue extends Issue {
  readonly keys?: string[];
  readonly errors?: Issue[][];
}

function assertValid(
  config: unknown,
  mode: { production: boolean },
): asserts config is StorefrontConfig {
  const { error } = createConfigSchema(mode).safeParse(config);
  const issues = (error?.issues ?? []).flatMap(toSingleIssues);
  const faults = issues.map(({ path, message, isUnknownKey }): ConfigFault => {
    const key = isUnknownKey ? undefined : path.findLast((step) => typeof step === "string");
    return { path: toPath(path), found: describeFound(at(config, path), key), expected: message };
  });
  const sound = issues.reduce<unknown>((rest, { path }) => withoutPath(rest, path), config);
  const conflicts = findConflicts((sound ?? {}) as Partial<StorefrontConfig>, mode);
  // Where something stands that is no good, a rule that misses it has nothing to add.
  const news = conflicts.filter(({ path }) => !faults.some((fault) => isWithin(path, fault.path)));
  if (faults.length + news.length > 0) throw new ConfigError([...faults, ...news]);
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}

/** One issue for each unknown key, and the faults of a list instead of the list's. */
function toSingleIssues({ path, message, keys, errors }: RawIssue): Issue[] {
  if (keys !== undefined) {
    return keys.map((key) => ({ path: [...path, key], message, isUnknownKey: true }));
  }
  const ofItems = errors?.flat().filter((inner) => inner.path.length > 0) ?? [];
  if (ofItems.length === 0) return [{ path, message }];
  return ofItems.map((inner) => ({ path: [...path, ...inner.path], message: inner.message }));
}

function at(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined) return value;
  return at((value as Record<PropertyKey, unknown> | undefined)?.[key], rest);
}

function withoutPath(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined || typeof value !== "object" || value === null) return undefined;
  const inner = withoutPath((value as Record<PropertyKey, unknown>)[key], rest);
  if (Array.isArray(value))
    return value.map((item, index) => (index === key ? (inner ?? {}) : item));
  return { ...value, [key]: inner };
}

/** The storages of all shops, with the memory that is their default. */
type GlobalStorage = NonNullable<StorefrontConfig["storage"]> & { readonly session: StorageConfig };

/** The same object at several places means the same storage. */
function resolveShopStorage(storage: GlobalStorage, shop: ShopStorageConfig = {}): Shop["storage"] {
  const session = shop.session ?? storage.session;
  return { session, basket: shop.basket ?? storage.basket ?? session };
}

function resolveShop(
  config: StorefrontConfig,
  shop: ShopConfig,
  storage: GlobalStorage,
  decided: { readonly isDefault: boolean; readonly developmentSecret: string },
): Shop {
  const { shopId, locale, currency, host, path } = shop;
  const session = resolveSession(
    mergeLayers<SessionConfig & SessionDefaults>(sessionDefaults, config.session, shop.session),
    shopId,
    decided.developmentSecret,
  );
  return {
    public: {
      shopId,
      locale,
      currency,
      ...(host !== undefined && { host }),
      ...(path !== undefined && { path }),
    },
    shopId,
    isDefault: decided.isDefault,
    realm: shop.realm ?? "default",
    session,
    storage: resolveShopStorage(storage, shop.storage),
    cors: resolveCors(mergeLayers<CorsOptions>(corsDefaults, config.cors, shop.cors), session),
    basket: mergeLayers(basketDefaults, config.basket, shop.basket),
    wishlist: mergeLayers(wishlistDefaults, config.wishlist, shop.wishlist),
  };
}

function resolveSession(
  session: SessionConfig & SessionDefaults,
  shopId: number,
  developmentSecret: string,
): SessionOptions {
  const { secret = developmentSecret, cookieName, tokenMethod, ...settings } = session;
  const { maxAge, absoluteTimeout, idleTimeout = maxAge, encryptionKeys = secret } = settings;
  return {
    domain: undefined,
    cache: undefined,
    guestIdleTimeout: idleTimeout,
    guestAbsoluteTimeout: absoluteTimeout,
    ...settings,
    idleTimeout,
    absoluteTimeout: absoluteTimeout ?? Math.max(defaultAbsoluteTimeout, maxAge),
    cookieName: `${cookieName}-${shopId}`,
    secrets: [secret].flat(),
    encryptionKeys: [encryptionKeys].flat(),
    tokenMethods: typeof tokenMethod === "string" ? [tokenMethod] : tokenMethod,
  };
}

/** A page must be able to read its token, and when to come back. */
function resolveCors(
  cors: CorsOptions,
  { authTokenHeaderKey, tokenMethods }: SessionOptions,
): CorsOptions {
  const token = tokenMethods.includes("bearer") ? [authTokenHeaderKey] : [];
  return { ...cors, exposedHeaders: [...cors.exposedHeaders, ...token, "retry-after"] };
}

/** Enough for a laptop; production is refused without a secret of its own. */
function createSecret(): string {
  return Buffer.from(getRandomValues(new Uint8Array(32))).toString("hex");
}

function findWarnings(
  shops: readonly Shop[],
  account: StorageConfig,
  developmentSecret: string,
): string[] {
  const secrets = shops.flatMap(({ session }) => session.secrets);
  const storages = [...shops.flatMap(({ storage }) => Object.values(storage)), account];
  return [
    secrets.includes(developmentSecret) &&
      "session.secret is not set: a random one signs the cookies, so sessions end with this process",
    secrets.some((secret) => secret.length < 32) &&
      "session.secret is shorter than 32 characters: production would refuse it",
    storages.some(({ driver, name }: { driver?: unknown; name?: unknown }) =>
      [driver, name].includes("memory"),
    ) &&
      "the memory driver is for development: what it holds ends with this process, and no other sees it",
  ].filter((warning) => warning !== false);
}
