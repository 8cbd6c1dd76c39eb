import type { SessionCacheStrategy } from "../../../storage/sessions/session-cache-strategy.ts";
import {
  boolean,
  byDefault,
  count,
  day,
  derived,
  falseOr,
  follow,
  hasFunctions,
  oneOf,
  seconds,
  secrets,
  text,
  value,
  type ConfigOf,
  type KeyTable,
} from "./config-key.ts";

/** The names of the transports in `session.tokenMethod`. */
export const tokenMethods = ["cookie", "bearer"] as const;

/** The name of a transport. */
export type TokenMethod = (typeof tokenMethods)[number];

/** How a user's session was issued: by one transport, or by several. */
export type SessionTransportName = TokenMethod | "both";

/** Ends the user's least recently used session, or rejects the login. */
export type SessionLimitPolicy = "endOldest" | "refuse";

/** How sessions are cached: see docs/sessions.md. */
export interface SessionCacheConfig extends ConfigOf<typeof cacheKeys> {}

/** How a session travels and when it expires. Durations are seconds. */
export interface SessionConfig extends ConfigOf<typeof sessionKeys> {}

const cacheKeys = {
  /** Seconds until an entry is read again. @default 300; 5 with a strategy that is used */
  ttl: seconds(day),
  /** The most sessions of a shop that this process caches. @default 10000 */
  max: count(),
  /** Caches sessions if the storage doesn't push changes. @default none */
  strategy: value<SessionCacheStrategy>(
    (found) => hasFunctions(found, ["set", "get", "delete", "clear"]),
    "an object with the functions set, get, delete and clear",
  ),
} satisfies KeyTable;

// A default of `derive` sees the keys above it.
export const sessionKeys = {
  /** The cookie's name is `<cookieName>-<shopId>`. @default "$session" */
  cookieName: {
    ...text(
      // With the longest value, the cookie has less than the 4,096 bytes that browsers accept (ASVS 5.0, 3.3.5).
      /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/,
      "a cookie name: letters, digits and !#$%&'*+-.^_`|~, 64 characters at most",
    ),
    default: "$session",
  },
  /** `SameSite` attribute of the cookie. @default "lax" */
  sameSite: { ...oneOf("strict", "lax", "none"), default: "lax" },
  /** `Max-Age` of the cookie and lifetime of the record, counted from the last use. @default 86400 */
  maxAge: { ...seconds(400 * day), default: day },
  // A rule checks the length, because development accepts short secrets.
  /** Secrets that sign sessions: the last one signs, each of them verifies. Production needs 32 characters or more. */
  secret: secrets(1, "a secret of 32 characters or more"),
  /** `Domain` attribute of the cookie. @default none: only the host that set it */
  domain: text(/^\.?[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i, "a domain name, for example shop.example"),
  /** Seconds without use after which a session ends. @default `maxAge` */
  idleTimeout: { ...seconds(400 * day), derive: follow<number>("session.maxAge") },
  /** Seconds from the login to the end of a session, even if it is in use. @default 30 days, or `maxAge` if that is longer */
  absoluteTimeout: {
    ...seconds(),
    derive: ({ maxAge }) => {
      const lifetime = Number(maxAge?.value);
      return lifetime > 30 * day ? derived("session.maxAge", lifetime) : byDefault(30 * day);
    },
  },
  /** `idleTimeout` for guests. @default `idleTimeout` */
  guestIdleTimeout: { ...seconds(400 * day), derive: follow<number>("session.idleTimeout") },
  /** `absoluteTimeout` for guests, counted from the first write. @default `absoluteTimeout` if it is set, else none */
  guestAbsoluteTimeout: {
    ...seconds(),
    derive: ({ absoluteTimeout }) =>
      absoluteTimeout?.isSet
        ? derived("session.absoluteTimeout", absoluteTimeout.value as number | undefined)
        : byDefault<number | undefined>(undefined),
  },
  /** Seconds after which a user's session gets a new ID. @default 14400 */
  renewAfter: { ...seconds(), default: 4 * 3600 },
  /** Seconds after a login or `reauthenticate` in which methods with `requireFresh` run. @default 300 */
  freshFor: { ...seconds(day), default: 300 },
  /** The most sessions of a user, in all shops of a realm that share a storage. @default 50 */
  maxSessionsPerUser: { ...count(), default: 50 },
  /** A login above `maxSessionsPerUser` ends the user's least recently used session (`endOldest`), or gets 409 (`refuse`). @default "endOldest" */
  sessionLimitPolicy: { ...oneOf<SessionLimitPolicy>("endOldest", "refuse"), default: "endOldest" },
  /** Keys of 32 characters or more for tokens in sessions, and for the hashes of payloads with an `Idempotency-Key`. The last one encrypts, each of them decrypts. @default `secret` */
  encryptionKeys: {
    ...secrets(32, "a key of 32 characters or more"),
    derive: follow<string | readonly string[] | undefined>("session.secret"),
  },
  /** `Secure` attribute of the cookie. `"auto"` sets it if the request used HTTPS. @default "auto" */
  secure: {
    ...value<boolean | "auto">(
      (found) => typeof found === "boolean" || found === "auto",
      'true, false or "auto"',
    ),
    default: "auto",
    visibility: "public",
  },
  /** `Partitioned` attribute of the cookie (CHIPS). @default false */
  partitioned: { ...boolean, default: false },
  /** How a session travels: in a cookie, in a bearer token, or in either of them. @default "cookie" */
  tokenMethod: {
    ...value<TokenMethod | readonly TokenMethod[]>(
      isTokenMethod,
      `${tokenMethods.map((name) => JSON.stringify(name)).join(", ")} or a list of them`,
    ),
    default: "cookie",
  },
  /** The response header with the bearer token. Vendure uses `vendure-auth-token`. @default "storefront-auth-token" */
  authTokenHeaderKey: {
    ...value<string>(
      isOwnHeader,
      "a header name without another meaning, for example storefront-auth-token",
    ),
    default: "storefront-auth-token",
  },
  /** The session cache; `false` turns it off. @default on with Redis and memory, off with other storages */
  cache: falseOr(cacheKeys),
} satisfies KeyTable;

/** Keys of other programs, and their replacements. */
export const removedSessionKeys = {
  provider: "no such key: set the driver in storage.session",
};

// --- Internal helpers ---

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
