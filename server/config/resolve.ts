import { getRandomValues } from "uncrypto";
import { ConfigError } from "./config-error.ts";
import type { SessionValues, ShopSettings } from "./config-settings.ts";
import type { Environment } from "./environment.ts";
import { createSafeLog } from "../../shared/log.ts";
import { assertNoErrors, examineConfig } from "./check.ts";
import { toWarnings } from "./diagnostics.ts";
import { createLog } from "../cli/console-log.ts";
import type { SessionOptions, Shop, StorefrontOptions } from "./options.ts";
import { toValues } from "./layers.ts";

/**
 * Checks a config and decides all that it leaves open.
 * @throws ConfigError with every error that is not deferred
 */
export function resolveConfig(config: unknown, environment: Environment): StorefrontOptions {
  const { findings, settings } = examineConfig(config, environment);
  assertNoErrors(findings);
  const deferred = findings.filter(({ severity }) => severity === "error");
  const { server, storage, loginAttempts, admin, http } = settings.server;
  const { log, ...options } = toValues(server);
  const { perAccount, perAddress, window } = toValues(loginAttempts);
  const isLimited = perAccount !== undefined && perAddress !== undefined && window !== undefined;
  const developmentSecret = createSecret();
  return {
    ...options,
    shops: settings.shops.map((shop) => resolveShop(shop, developmentSecret)),
    storage: { account: storage.account.value },
    loginAttempts: isLimited ? { perAccount, perAddress, window } : undefined,
    adminTokens: [admin.token.value ?? []].flat(),
    server: toValues(http),
    log: createSafeLog(log ?? createLog()),
    warnings: toWarnings(findings),
    refusal: deferred.length > 0 ? new ConfigError(deferred) : undefined,
  };
}

// --- Internal helpers ---

function resolveShop(settings: ShopSettings, developmentSecret: string): Shop {
  const { shopId, locale, currency, host, path, isDefault, realm } = toValues(settings.shop);
  const session = resolveSession(toValues(settings.session), shopId, developmentSecret);
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
    session,
    storage: toValues(settings.storage),
    cors: toValues(settings.cors),
    basket: toValues(settings.basket),
    wishlist: toValues(settings.wishlist),
  };
}

function resolveSession(
  { secret, encryptionKeys, cookieName, tokenMethod, ...options }: SessionValues,
  shopId: number,
  developmentSecret: string,
): SessionOptions {
  return {
    ...options,
    cookieName: `${cookieName}-${shopId}`,
    secrets: [secret ?? developmentSecret].flat(),
    encryptionKeys: [encryptionKeys ?? developmentSecret].flat(),
    tokenMethods: typeof tokenMethod === "string" ? [tokenMethod] : tokenMethod,
  };
}

/** Enough for a laptop; production is refused without a secret of its own. */
function createSecret(): string {
  return Buffer.from(getRandomValues(new Uint8Array(32))).toString("hex");
}
