import { builtinDrivers } from "unstorage";
import * as z from "zod";
import { hookNames } from "../../rpc/hooks.ts";
import {
  hasFunctions,
  isAuth,
  isFunction,
  isHost,
  isHostList,
  isListOf,
  isLocale,
  isMethod,
  isMethodName,
  isOriginRule,
  isPositiveInteger,
  isSeconds,
  isPublicUrl,
  isText,
  isTokenMethod,
  isUndefined,
  matches,
  object,
  oneOf,
  required,
  seconds,
  value,
} from "./config-checks.ts";
import { tokenMethods } from "../credentials/transports.ts";
import { fieldName } from "../preflight.ts";
import { isRedisAddress } from "./redis-url.ts";
import { isProxyRange } from "../trusted-proxies.ts";

/**
 * What a config may look like, key by key. The message of an issue says what was expected; rules
 * between keys, and for what is possible but not wise, are in `config-rules.ts`.
 */
export function createConfigSchema() {
  const aSecret = "a secret of 32 characters or more";
  // How long it is, is a rule's business: development takes any.
  const secret = required((text) => isText(text) && text !== "", aSecret);
  const secrets = z.array(secret).min(1, { error: `${aSecret}, or a list of them` });
  const session = object({
    cookieName: value(
      matches(cookieToken),
      "a cookie name: letters, digits and !#$%&'*+-.^_`|~, 64 characters at most",
    ),
    sameSite: oneOf("strict", "lax", "none"),
    maxAge: seconds(400 * 86_400),
    secret: z.union([secret, secrets], { error: `${aSecret}, or a list of them` }).optional(),
    domain: value(matches(hostName), "a domain name, as shop.example"),
    idleTimeout: seconds(400 * 86_400),
    absoluteTimeout: seconds(Number.MAX_SAFE_INTEGER),
    guestIdleTimeout: seconds(400 * 86_400),
    guestAbsoluteTimeout: seconds(Number.MAX_SAFE_INTEGER),
    renewAfter: seconds(Number.MAX_SAFE_INTEGER),
    freshFor: seconds(86_400),
    maxSessionsPerUser: value(isPositiveInteger, "a whole number, 1 or more"),
    sessionLimitPolicy: oneOf("endOldest", "refuse"),
    encryptionKeys: keyRing.optional(),
    secure: value((flag) => typeof flag === "boolean" || flag === "auto", 'true, false or "auto"'),
    partitioned: boolean,
    cache: z.union([z.literal(false), cache], { error: "false or an object" }).optional(),
    tokenMethod: value(
      isTokenMethod,
      `${tokenMethods.map((name) => JSON.stringify(name)).join(", ")} or a list of them`,
    ),
    authTokenHeaderKey: value(
      (name) => matches(headerName)(name) && !takenHeaders.test(String(name)),
      "the name of a header of its own, as storefront-auth-token",
    ),
    provider: value(isUndefined, "no such key: the driver is set in storage.session"),
  });
  const shop = object(
    {
      shopId: required(isPositiveInteger, "a whole number, 1 or more"),
      locale: required(isLocale, "a language tag, as de-DE"),
      currency: required(matches(/^[A-Z]{3}$/), "a currency code, as EUR"),
      host: value(
        (found) => isHost(found) || isHostList(found),
        "a host name in lower case, with a port or without, as shop.example or *.shop.example; or a list",
      ),
      path: value(matches(/^[A-Za-z0-9_-]+$/), "one segment of a path: letters, digits, - and _"),
      isDefault: boolean,
      realm: value(matches(/^.{1,64}$/s), "a name of 1 to 64 characters"),
      session,
      storage: object({ session: storage, basket: storage }),
      cors,
      basket,
      wishlist,
    },
    { isRequired: true },
  );
  return object(
    {
      shops: z.array(shop, { error: "a list of shops" }).min(1, { error: "one shop or more" }),
      basePath: value(matches(/^(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9_.~-]+)+$/), "a path, as /api"),
      shopSelector: oneOf("path", "domain", "path_or_default"),
      session,
      storage: object({
        session: storage,
        basket: storage,
        account: storage,
        singleProcess: boolean,
        lossy: boolean,
      }),
      cors,
      basket,
      wishlist,
      methods,
      hooks: object(
        Object.fromEntries(hookNames.map((name) => [name, value(isFunction, "a function")])),
      ),
      auth: value(
        isAuth,
        "an object with the functions login, register, changePassword and perhaps updateUser and changeEmail",
      ),
      maxBodySize: value(isPositiveInteger, "a whole number of bytes, 1 or more"),
      callTimeout: seconds(86_400),
      loginAttempts: z
        .union([z.literal(false), loginAttempts], { error: "false or an object" })
        .optional(),
      admin: object({ token: keyRing.optional() }),
      server,
      trustProxy: value(
        (proxies) => typeof proxies === "boolean" || isListOf(proxies, isProxyRange),
        "true, false or a list of addresses, ranges as 10.0.0.0/8, and the names loopback, linklocal, uniquelocal",
      ),
      publicUrl: value(isPublicUrl, "the URL that browsers see, as https://shop.example"),
      log: value(
        hasFunctions(["debug", "info", "warn", "error"]),
        "an object with the functions debug, info, warn and error",
      ),
    },
    { isRequired: true },
  );
}

// --- Internal helpers ---

/** With the longest value it stays below the 4,096 bytes that browsers take (ASVS 5.0, 3.3.5). */
const cookieToken = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
/** Response headers that mean something else. */
const takenHeaders =
  /^(?:access-control-.*|allow|cache-control|connection|content-.*|date|location|retry-after|set-cookie|transfer-encoding|vary|www-authenticate)$/i;
const headerName = /^[a-z0-9-]+$/i;
const hostName = /^\.?[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i;

const boolean = value((flag) => typeof flag === "boolean", "true or false");

const basket = object({
  mergeStrategy: oneOf("merge", "useGuest", "useExisting", "useGuestIfExistingEmpty"),
  maxItems: value(isPositiveInteger, "a whole number, 1 or more"),
  maxQuantity: value(isPositiveInteger, "a whole number, 1 or more"),
});

const cache = object({
  ttl: seconds(86_400),
  max: value(isPositiveInteger, "a whole number, 1 or more"),
  strategy: value(
    hasFunctions(["set", "get", "delete", "clear"]),
    "an object with the functions set, get, delete and clear",
  ),
});

const headerNames = value(
  (found) => isListOf(found, (name) => name !== "*" && matches(fieldName)(name)),
  "a list of header names",
);

const cors = object({
  origin: value(
    isOriginRule,
    "a list of origins, as https://shop.example, or patterns; or a function",
  ),
  credentials: boolean,
  allowedHeaders: headerNames,
  exposedHeaders: headerNames,
  maxAge: seconds(86_400),
});

const loginAttempts = object({
  perAccount: value(isPositiveInteger, "a whole number, 1 or more"),
  perAddress: value(isPositiveInteger, "a whole number, 1 or more"),
  window: seconds(86_400),
});

const aKey = "a key of 32 characters or more";
const ringKey = required((text) => isText(text) && text.length >= 32, aKey);
const keyRing = z.union(
  [ringKey, z.array(ringKey).min(1, { error: `${aKey}, or a list of them` })],
  {
    error: `${aKey}, or a list of them`,
  },
);

const server = object({
  keepAliveTimeout: seconds(86_400),
  headersTimeout: seconds(86_400),
  requestTimeout: seconds(86_400),
  maxConnections: value(isPositiveInteger, "a whole number, 1 or more"),
  drainDelay: value(
    (found) => found === 0 || isSeconds(found, 3600),
    "a whole number of seconds, 0 to 3600",
  ),
  drainTimeout: seconds(86_400),
});

const wishlist = object({ maxItems: value(isPositiveInteger, "a whole number, 1 or more") });

const storage = z
  .unknown()
  .optional()
  .superRefine((config, { addIssue }) => {
    if (config === undefined || hasFunctions(["getItem"])(config)) return;
    const { driver } = (config ?? {}) as { readonly driver?: unknown };
    if (typeof driver !== "string") {
      addIssue({ code: "custom", message: 'a driver object, or {driver: "<name>", …its options}' });
    } else if (!Object.hasOwn(builtinDrivers, driver)) {
      const message = "the name of an unstorage driver, as memory, redis or fs";
      addIssue({ code: "custom", path: ["driver"], message });
    } else if (driver === "redis") {
      const { url, cluster } = config as { readonly url?: unknown; readonly cluster?: unknown };
      const message = "an address that can be read, as redis://redis.example:6379";
      if (!isRedisAddress(url)) addIssue({ code: "custom", path: ["url"], message });
      if (Array.isArray(cluster) && !cluster.every(isRedisAddress)) {
        addIssue({
          code: "custom",
          path: ["cluster"],
          message: `a list of nodes, each ${message}`,
        });
      }
    }
  });

/** Not a record of zod's, which passes over the name `__proto__`. */
const methods = z
  .unknown()
  .optional()
  .superRefine((found, { addIssue }) => {
    if (found === undefined) return;
    if (typeof found !== "object" || found === null || Array.isArray(found)) {
      addIssue({ code: "custom", message: "an object of methods" });
      return;
    }
    for (const [name, method] of Object.entries(found)) {
      if (method === undefined) continue;
      if (!isMethodName(name)) {
        const message = "another name: letters, digits and _, none that JavaScript has a use for";
        addIssue({ code: "custom", path: [name], message });
      } else if (!isMethod(method)) {
        addIssue({ code: "custom", path: [name], message: "a method made by defineRpcMethod" });
      }
    }
  });
