import type { H3 } from "h3";
import {
  byDefault,
  count,
  day,
  integer,
  seconds,
  secrets,
  value,
  type ConfigOf,
  type KeyTable,
} from "./config-key.ts";

/** How many failed logins the server allows before it rejects more, even with the correct password. */
export interface LoginAttemptsConfig extends ConfigOf<typeof loginAttemptsKeys> {}

export const loginAttemptsKeys = {
  /** The most failed logins of one account within `window`. @default 10 */
  perAccount: { ...count(), default: 10 },
  /** The most failed logins from one IP address (IPv6: one /64 network). Registrations have a count of their own. @default 100 */
  perAddress: { ...count(), default: 100 },
  /** Seconds for which a failure counts. @default 900 */
  window: { ...seconds(day), default: 900 },
} satisfies KeyTable;

/** The admin calls. */
export interface AdminConfig extends ConfigOf<typeof adminKeys> {}

export const adminKeys = {
  /** Tokens of 32 characters or more for `Authorization: Bearer`. Each of them is valid. @default none: the server has no admin calls */
  token: secrets(32, "a token of 32 characters or more"),
} satisfies KeyTable;

export const devPageKeys = {
  /** Tokens of 32 characters or more: each of them opens the page at `/_storefront`, as the password of Basic authentication. @default none: in development, the page needs no token; in production, it is off */
  token: secrets(32, "a token of 32 characters or more"),
} satisfies KeyTable;

export const httpKeys = {
  /** Seconds that an idle connection stays open. Use more than your load balancer does, or it responds 502. @default 65 */
  keepAliveTimeout: { ...seconds(day), default: 65 },
  // Some load balancers open connections in advance and send nothing for a minute.
  /** Seconds that the headers of a request can take to arrive, also the first ones of a connection. @default 65 */
  headersTimeout: { ...seconds(day), default: 65 },
  /** Seconds that a whole request can take to arrive. @default 120 */
  requestTimeout: { ...seconds(day), default: 120 },
  /** The most open connections. At this number, the server closes new ones. @default 10000 */
  maxConnections: { ...count(), default: 10_000 },
  /** Seconds that the server accepts connections after SIGTERM, while `/readyz` responds 503. @default 5 in production, else 0 */
  drainDelay: {
    ...integer(0, 3600, "a whole number of seconds, 0 to 3600"),
    derive: (_, { production }) => byDefault(production ? 5 : 0),
  },
  /** Seconds that open connections can then take to finish, before the server closes them. @default 10 */
  drainTimeout: { ...seconds(day), default: 10 },
  // The storefront's type has the types of all keys, so `ServerConfig` adds it.
  /** Adds HTTP routes of your own, for example for a webhook or a sitemap: see docs/operations.md. The second argument is the storefront, for `createRpcCaller`. The function can be async. @default none */
  routes: value<(app: H3, storefront: never) => unknown>(
    (found) => typeof found === "function",
    "a function that gets an h3 app and the storefront",
  ),
} satisfies KeyTable;
