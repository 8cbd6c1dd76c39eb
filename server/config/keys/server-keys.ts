import type { LoginAttemptsOptions } from "../../../rpc/accounts/login-limiter.ts";
import { byDefault } from "../layers.ts";
import { count, day, integer, seconds, secrets, type KeysOf } from "./key.ts";

/** How many failed logins the server allows before it rejects more, even with the correct password. */
export interface LoginAttemptsConfig {
  /** Failed logins of one account. @default 10 */
  readonly perAccount?: number | undefined;
  /** Failed logins from one IP address (IPv6: one /64 network). Registrations have a count of their own. @default 100 */
  readonly perAddress?: number | undefined;
  /** Seconds for which a failure counts. @default 900 */
  readonly window?: number | undefined;
}

export const loginAttemptsKeys = {
  perAccount: { ...count(), default: 10 },
  perAddress: { ...count(), default: 100 },
  window: { ...seconds(day), default: 900 },
} satisfies KeysOf<LoginAttemptsOptions>;

/** The admin calls. */
export interface AdminConfig {
  /** Tokens of 32 characters or more for `Authorization: Bearer`: each of them is valid. @default none: the server has no admin calls */
  readonly token?: string | readonly string[] | undefined;
}

export const adminKeys = {
  token: secrets(32, "a key of 32 characters or more"),
} satisfies KeysOf<AdminConfig>;

/** How `storefront start` serves HTTP and shuts down. Durations are seconds. */
export interface ServerConfig {
  /** How long an idle connection stays open. Use more than your load balancer does, or it responds 502. @default 65 */
  readonly keepAliveTimeout?: number | undefined;
  /** How long the headers of a request can take to arrive, also the first ones of a connection. @default 65 */
  readonly headersTimeout?: number | undefined;
  /** How long a whole request can take to arrive. @default 120 */
  readonly requestTimeout?: number | undefined;
  /** The most open connections. At this number, the server closes new ones. @default 10000 */
  readonly maxConnections?: number | undefined;
  /** How long the server accepts connections after SIGTERM, while `/readyz` responds 503. @default 5 in production, else 0 */
  readonly drainDelay?: number | undefined;
  /** How long open connections can then take to finish, before the server closes them. @default 10 */
  readonly drainTimeout?: number | undefined;
}

export const httpKeys = {
  keepAliveTimeout: { ...seconds(day), default: 65 },
  // Some load balancers open connections in advance and send nothing for a minute.
  headersTimeout: { ...seconds(day), default: 65 },
  requestTimeout: { ...seconds(day), default: 120 },
  maxConnections: { ...count(), default: 10_000 },
  drainDelay: {
    ...integer(0, 3600, "a whole number of seconds, 0 to 3600"),
    derive: (_, { production }) => byDefault(production ? 5 : 0),
  },
  drainTimeout: { ...seconds(day), default: 10 },
} satisfies KeysOf<ServerConfig>;
