import { systemRandom } from "../../storage/random.ts";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import { createSafeLog, type Logger } from "../../shared/log.ts";
import { assertNoErrors, checkConfig } from "./check.ts";
import { ConfigError } from "./config-error.ts";
import { toWarnings } from "./diagnostics.ts";
import type { Environment } from "./environment.ts";
import { toLogConfig } from "./keys/log-key.ts";
import { toValues, type SourcedShop } from "./merge-config.ts";
import type { Shop, StorefrontOptions } from "./options.ts";

/**
 * Checks a config, and merges it with the defaults.
 * @param defaultLog used if the config has no `log`
 * @throws ConfigError with every error that is not deferred
 */
export function resolveConfig(
  config: unknown,
  environment: Environment,
  defaultLog: Logger = console,
): StorefrontOptions {
  const { developmentData, random = systemRandom } = environment;
  const { diagnostics, effective } = checkConfig(config, environment);
  assertNoErrors(diagnostics);
  const deferred = diagnostics.filter(({ severity }) => severity === "error");
  const { log, commerce: _, ...options } = toValues(effective.top);
  const { logger, calls, slowerThan = 1 } = toLogConfig(log);
  const { perAccount, perAddress, window } = toValues(effective.loginAttempts);
  const isLimited = perAccount !== undefined && perAddress !== undefined && window !== undefined;
  let created: string | undefined;
  // Production needs a secret in the config. A worker has no random values while its modules load.
  const createSecret = () =>
    (created ??= developmentData?.secret ?? random.bytes(32).toString("hex"));
  const toStorage = (storage: StorageConfig) =>
    developmentData !== undefined && "driver" in storage && storage.driver === "memory"
      ? developmentData.driver
      : storage;
  return {
    ...options,
    shops: effective.shops.map((shop) => resolveShop(shop, createSecret, toStorage)),
    storage: { account: toStorage(effective.storage.account.value) },
    loginAttempts: isLimited ? { perAccount, perAddress, window } : undefined,
    adminTokens: [effective.admin.token.value ?? []].flat(),
    devPage: resolveDevPage([effective.devPage.token.value ?? []].flat(), environment),
    server: toValues(effective.server),
    log: createSafeLog(logger ?? defaultLog),
    isDefaultLog: logger === undefined,
    callLog: calls && { calls, slowerThan },
    warnings: toWarnings(diagnostics),
    refusal: deferred.length > 0 ? new ConfigError(deferred) : undefined,
  };
}

// --- Internal helpers ---

/**
 * In production, the page needs a token. `NODE_ENV` counts too, because some servers open a storefront for development
 * in any environment. The page remembers its visitors in this process, so it needs one that responds to every request.
 */
function resolveDevPage(
  tokens: readonly string[],
  { production, isOneOfSeveral = false, isWorker = false }: Environment,
): StorefrontOptions["devPage"] {
  const isProduction = production || process.env["NODE_ENV"] === "production";
  if (isProduction && tokens.length === 0) return { off: "production", tokens };
  return { off: isOneOfSeveral || isWorker ? "several processes" : undefined, tokens };
}

function resolveShop(
  effective: SourcedShop,
  createSecret: () => string,
  toStorage: (storage: StorageConfig) => StorageConfig,
): Shop {
  const { shopId, locale, currency, host, path, isDefault, realm, commerce } = toValues(
    effective.shop,
  );
  const { secret, encryptionKeys, cookieName, tokenMethod, ...session } = toValues(
    effective.session,
  );
  return {
    public: {
      shopId,
      locale,
      currency,
      ...(host !== undefined && { host: typeof host === "string" ? host : [...host] }),
      ...(path !== undefined && { path }),
    },
    shopId,
    isDefault,
    realm,
    commerce,
    session: {
      ...session,
      cookieName: `${cookieName}-${shopId}`,
      secrets: [secret ?? createSecret()].flat(),
      encryptionKeys: [encryptionKeys ?? createSecret()].flat(),
      tokenMethods: typeof tokenMethod === "string" ? [tokenMethod] : tokenMethod,
    },
    storage: {
      session: toStorage(effective.storage.session.value),
      basket: toStorage(effective.storage.basket.value),
    },
    cors: toValues(effective.cors),
    basket: toValues(effective.basket),
    wishlist: toValues(effective.wishlist),
  };
}
