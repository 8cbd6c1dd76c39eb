import type { SessionCacheStrategy } from "../../../storage/sessions/session-cache-strategy.ts";
import { tokenMethods, type TokenMethod } from "../../credentials/transports.ts";
import { byDefault, derived } from "../layers.ts";
import {
  boolean,
  count,
  day,
  falseOr,
  hasFunctions,
  oneOf,
  seconds,
  secrets,
  text,
  value,
  type Derive,
  type KeysOf,
} from "./key.ts";

/** Ends the user's least recently used session, or rejects the login. */
export type SessionLimitPolicy = "endOldest" | "refuse";

/** How sessions are cached: see docs/sessions.md. */
export interface SessionCacheConfig {
  /** Seconds until an entry is read again. @default 300; 5 with a strategy that is used */
  readonly ttl?: number | undefined;
  /** The most sessions of a shop that this process caches. @default 10000 */
  readonly max?: number | undefined;
  /** Caches sessions if the storage doesn't push changes. @default none */
  readonly strategy?: SessionCacheStrategy | undefined;
}

const cacheKeys = {
  ttl: seconds(day),
  max: count(),
  strategy: value<SessionCacheStrategy>(
    (found) => hasFunctions(found, ["set", "get", "delete", "clear"]),
    "an object with the functions set, get, delete and clear",
  ),
} satisfies KeysOf<SessionCacheConfig>;

/** How a session travels and when it expires. Durations are seconds. */
export interface SessionConfig {
  /** The cookie's name is `<cookieName>-<shopId>`. @default "$session" */
  readonly cookieName?: string | undefined;
  /** `SameSite` attribute of the cookie. @default "lax" */
  readonly sameSite?: "strict" | "lax" | "none" | undefined;
  /** `Max-Age` of the cookie and lifetime of the record, counted from the last use. @default 86400 */
  readonly maxAge?: number | undefined;
  /** Secrets that sign sessions: the last one signs, each of them verifies. Production needs 32 characters or more. */
  readonly secret?: string | readonly string[] | undefined;
  /** `Domain` attribute of the cookie. @default none: only the host that set it */
  readonly domain?: string | undefined;
  /** Ends a session that was not used for this time. @default `maxAge` */
  readonly idleTimeout?: number | undefined;
  /** Ends a session this time after the login, even if it is in use. @default 30 days, or `maxAge` if that is longer */
  readonly absoluteTimeout?: number | undefined;
  /** `idleTimeout` for guests. @default `idleTimeout` */
  readonly guestIdleTimeout?: number | undefined;
  /** `absoluteTimeout` for guests, counted from the first write. @default `absoluteTimeout` if it is set, else none */
  readonly guestAbsoluteTimeout?: number | undefined;
  /** The age at which a user's session gets a new ID. @default 14400 */
  readonly renewAfter?: number | undefined;
  /** For this time after a login or `reauthenticate`, methods with `requireFresh` run. @default 300 */
  readonly freshFor?: number | undefined;
  /** The most sessions of a user, in all shops of a realm that share a storage. @default 50 */
  readonly maxSessionsPerUser?: number | undefined;
  /** Decides about a login above `maxSessionsPerUser`. @default "endOldest" */
  readonly sessionLimitPolicy?: SessionLimitPolicy | undefined;
  /** Keys of 32 characters or more for tokens in sessions: the last one encrypts, each of them decrypts. @default `secret` */
  readonly encryptionKeys?: string | readonly string[] | undefined;
  /** `Secure` attribute of the cookie. `"auto"` sets it if the request used HTTPS. @default "auto" */
  readonly secure?: boolean | "auto" | undefined;
  /** `Partitioned` attribute of the cookie (CHIPS). @default false */
  readonly partitioned?: boolean | undefined;
  /** How a session travels: in a cookie, in a bearer token, or in either of them. @default "cookie" */
  readonly tokenMethod?: TokenMethod | readonly TokenMethod[] | undefined;
  /** The response header with the bearer token. Vendure uses `vendure-auth-token`. @default "storefront-auth-token" */
  readonly authTokenHeaderKey?: string | undefined;
  /** The session cache; `false` turns it off. @default on with Redis and memory, off with other storages */
  readonly cache?: SessionCacheConfig | false | undefined;
}

// A default of `derive` sees the keys above it.
export const sessionKeys = {
  cookieName: {
    ...text(
      // With the longest value, the cookie has less than the 4,096 bytes that browsers accept (ASVS 5.0, 3.3.5).
      /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/,
      "a cookie name: letters, digits and !#$%&'*+-.^_`|~, 64 characters at most",
    ),
    default: "$session",
  },
  sameSite: { ...oneOf("strict", "lax", "none"), default: "lax" },
  maxAge: { ...seconds(400 * day), default: day },
  // A rule checks the length, because development accepts short secrets.
  secret: secrets(1, "a secret of 32 characters or more"),
  domain: text(/^\.?[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i, "a domain name, for example shop.example"),
  idleTimeout: { ...seconds(400 * day), derive: follow<number>("maxAge") },
  absoluteTimeout: {
    ...seconds(),
    derive: (above) => {
      const maxAge = Number(above["maxAge"]?.value);
      return maxAge > 30 * day ? derived("session.maxAge", maxAge) : byDefault(30 * day);
    },
  },
  guestIdleTimeout: { ...seconds(400 * day), derive: follow<number>("idleTimeout") },
  guestAbsoluteTimeout: {
    ...seconds(),
    derive: (above, environment) =>
      above["absoluteTimeout"]?.isSet
        ? follow<number | undefined>("absoluteTimeout")(above, environment)
        : byDefault<number | undefined>(undefined),
  },
  renewAfter: { ...seconds(), default: 4 * 3600 },
  freshFor: { ...seconds(day), default: 300 },
  maxSessionsPerUser: { ...count(), default: 50 },
  sessionLimitPolicy: { ...oneOf("endOldest", "refuse"), default: "endOldest" },
  encryptionKeys: {
    ...secrets(32, "a key of 32 characters or more"),
    derive: follow<string | readonly string[] | undefined>("secret"),
  },
  secure: {
    ...value<boolean | "auto">(
      (found) => typeof found === "boolean" || found === "auto",
      'true, false or "auto"',
    ),
    default: "auto",
    visibility: "public",
  },
  partitioned: { ...boolean, default: false },
  tokenMethod: {
    ...value<TokenMethod | readonly TokenMethod[]>(
      isTokenMethod,
      `${tokenMethods.map((name) => JSON.stringify(name)).join(", ")} or a list of them`,
    ),
    default: "cookie",
  },
  authTokenHeaderKey: {
    ...value<string>(
      isOwnHeader,
      "a header name without another meaning, for example storefront-auth-token",
    ),
    default: "storefront-auth-token",
  },
  cache: { ...falseOr<SessionCacheConfig>(cacheKeys), keys: cacheKeys },
} satisfies KeysOf<SessionConfig>;

/** Keys of other programs, and what to use instead. */
export const removedSessionKeys = {
  provider: "no such key: set the driver in storage.session",
};

// --- Internal helpers ---

/** The default is the value of another key. */
function follow<Value>(name: string): Derive<Value> {
  return (above) => derived(`session.${name}`, above[name]?.value as Value);
}

function isTokenMethod(found: unknown): boolean {
  const names = [found].flat();
  return names.length > 0 && names.every((name) => tokenMethods.some((method) => method === name));
}

/** Whether a name can be a response header without changing the meaning of the response. */
function isOwnHeader(found: unknown): boolean {
  return typeof found === "string" && /^[a-z0-9-]+$/i.test(found) && !takenHeaders.test(found);
}

const takenHeaders =
  /^(?:access-control-.*|allow|cache-control|connection|content-.*|date|location|retry-after|set-cookie|transfer-encoding|vary|www-authenticate)$/i;
