import { error, notice, productionNotice, productionWarning, warning } from "./diagnostic-kind.ts";

/** Diagnostics of the storages and the server, and those that only the doctor finds. */
export const serverDiagnostics = {
  // Storages
  SF501: warning(
    "the memory driver is for development: its data is lost when this process ends, and no other process sees it",
    '{ driver: "redis", url }',
  ),
  SF502: warning(
    "there are several processes, but the driver is atomic within one process only",
    '{ driver: "redis", url }, or one process',
  ),
  SF503: productionNotice(
    "the driver is atomic within one process only, even if several processes share its data",
    '{ driver: "redis", url }, or one process',
  ),
  SF504: warning(
    "the driver drops documents by itself: sessions and baskets disappear",
    '{ driver: "redis", url }',
  ),
  SF505: warning(
    "ttl of a driver has no effect, because each document has its own expiration, for example from maxAge",
    "no ttl",
  ),
  SF506: warning(
    "the driver can return stale data, so a logged-out session can stay active for a while",
    '{ driver: "redis", url }',
  ),
  SF507: productionNotice(
    "anyone on the network can read the data that the server sends to a remote Redis",
    "rediss:// or the option tls",
  ),
  SF508: productionWarning(
    "a remote Redis has no password, so anyone who can reach it can read all sessions",
    "a password, in the URL or as an option",
  ),
  SF509: warning(
    "two storages have the same location but separate locks, so changes can be lost",
    "one object, used for both storages",
  ),
  SF510: error(
    "the storage is atomic within one process only: with a second process, writes are lost and ended sessions come back",
    '{ driver: "redis", url }, or storage.singleProcess: true if there is one process only',
    { isDeferred: true, development: "none" },
  ),
  SF511: error(
    "the storage is not atomic, and returns stale data: writes are lost, even in one process",
    '{ driver: "redis", url }, or storage.lossy: true if lost writes are acceptable',
    { isDeferred: true, development: "none" },
  ),
  SF512: error(
    "the storage of the accounts can drop documents or return stale data: accounts are lost",
    'a driver that keeps documents, for example { driver: "fs", base }; or your own auth',
    { isDeferred: true },
  ),
  SF513: error(
    "accounts in memory are lost when the process ends",
    'a driver that keeps documents, for example { driver: "fs", base }; or your own auth',
    { isDeferred: true, development: "none" },
  ),
  SF514: error(
    "a driver object of fs writes in place: a full disk or a killed process empties documents",
    'the driver by name: { driver: "fs", base }',
    { isDeferred: true, development: "warning" },
  ),
  SF515: error(
    "the storage is atomic within one process only, but --workers starts several: writes are lost and ended sessions come back",
    '{ driver: "redis", url }, or a start without --workers',
  ),

  // The server
  SF601: productionWarning(
    "trustProxy trusts every client: with X-Forwarded-For, each can choose its IP address",
    "the addresses of your proxies",
  ),
  SF602: productionNotice(
    "behind a proxy that terminates TLS, the cookie lacks Secure and all visitors share one IP address",
    "the addresses of your proxies, if you have any",
  ),
  SF603: productionWarning(
    "attackers can guess passwords without a limit",
    "an object, or no value for the defaults",
  ),
  SF604: warning(
    "the server reads a body of more than a megabyte into memory before it knows the caller",
    "1000000 or less",
  ),
  SF605: notice("a call can take longer than proxies and browsers usually wait", "60 or less"),
  SF606: productionNotice(
    "you can't end a user's sessions from outside, because the admin API is off",
    "a token of 32 characters or more, if you want the admin API",
  ),
  SF607: productionWarning(
    "load balancers keep idle connections for 60 seconds, and respond 502 if the server closes one first",
    "more than 60",
  ),
  SF608: productionNotice(
    "a shutdown can take drainDelay and drainTimeout together, and Kubernetes kills the process after 30 seconds",
    "30 or less in all, or a longer grace period there",
  ),
  SF609: error(
    "the headers are part of the request, so Node rejects a headersTimeout above requestTimeout",
    "headersTimeout no longer than requestTimeout",
  ),
  SF610: notice(
    "mounted in a server that gives no address of clients, the limit loginAttempts.perAddress is off",
    "a function, if such a server mounts the storefront",
    { development: "none" },
  ),
  SF611: warning(
    "prometheus() has no port, and the config has no admin.token, so nobody can read /metrics",
    "prometheus({ port }), or an admin.token of 32 characters or more",
  ),
  SF612: productionNotice(
    "the development page is on in production: its calls are real, and it shows sessions",
    "no token, unless you need the page there",
  ),

  // Only the doctor checks these
  SF701: error(
    "a storage doesn't respond, so every call that needs it would get 503",
    "a storage that responds",
  ),
  SF702: error(
    "the server can't open a storage, so it wouldn't start",
    "a driver that can be opened",
  ),
  SF703: error(
    "Redis evicts keys when its memory is full: baskets are lost, and logoutEverywhere can miss a session",
    "maxmemory-policy noeviction",
  ),
  SF704: warning("Redis is too old to push changes, so sessions are not cached", "6 or later"),
  SF705: error(
    "a storage responds but rejects writes: it is full or read-only, or its user lacks the permission",
    "a storage that accepts writes",
  ),
  SF706: error(
    "a commerce system doesn't respond, so every call that needs it would get 503",
    "a commerce system that responds",
  ),
  SF707: productionNotice(
    "JSON Schema can't describe a part of a method's payload, so the OpenAPI document marks it with x-not-described",
    "keywords of JSON Schema, for example by zod's meta: see docs/openapi.md",
  ),
};
