import type { DiagnosticKind } from "./diagnostic-kind.ts";

/** Diagnostics of storages. */
export const storageDiagnostics = {
  SF501: {
    severity: "warning",
    about:
      "the memory driver is for development: its data is lost when this process ends, and no other process sees it",
    remedy: '{ driver: "redis", url }',
  },
  SF502: {
    severity: "warning",
    about: "there are several processes, but the driver is atomic within one process only",
    remedy: '{ driver: "redis", url }, or one process',
  },
  SF503: {
    severity: "notice",
    development: "none",
    about: "the driver is atomic within one process only, even if several processes share its data",
    remedy: '{ driver: "redis", url }, or one process',
  },
  SF504: {
    severity: "warning",
    about: "the driver drops documents by itself: sessions and baskets disappear",
    remedy: '{ driver: "redis", url }',
  },
  SF505: {
    severity: "warning",
    about:
      "ttl of a driver has no effect, because each document has its own expiration, for example from maxAge",
    remedy: "no ttl",
  },
  SF506: {
    severity: "warning",
    about: "the driver can return stale data, so a logged-out session can stay active for a while",
    remedy: '{ driver: "redis", url }',
  },
  SF507: {
    severity: "notice",
    development: "none",
    about: "anyone on the network can read the data that the server sends to a remote Redis",
    remedy: "rediss:// or the option tls",
  },
  SF508: {
    severity: "warning",
    development: "none",
    about: "a remote Redis has no password, so anyone who can reach it can read all sessions",
    remedy: "a password, in the URL or as an option",
  },
  SF509: {
    severity: "warning",
    about: "two storages have the same location but separate locks, so changes can be lost",
    remedy: "one object, used for both storages",
  },
  SF510: {
    severity: "error",
    development: "none",
    isDeferred: true,
    about:
      "the storage is atomic within one process only: with a second process, writes are lost and ended sessions come back",
    remedy: '{ driver: "redis", url }, or storage.singleProcess: true if there is one process only',
  },
  SF511: {
    severity: "error",
    development: "none",
    isDeferred: true,
    about:
      "the storage is not atomic, and returns stale data: writes are lost, even in one process",
    remedy: '{ driver: "redis", url }, or storage.lossy: true if lost writes are acceptable',
  },
  SF512: {
    severity: "error",
    isDeferred: true,
    about: "the storage of the accounts can drop documents or return stale data: accounts are lost",
    remedy: 'a driver that keeps documents, for example { driver: "fs", base }; or your own auth',
  },
  SF513: {
    severity: "error",
    development: "none",
    isDeferred: true,
    about: "accounts in memory are lost when the process ends",
    remedy: 'a driver that keeps documents, for example { driver: "fs", base }; or your own auth',
  },
  SF514: {
    severity: "error",
    development: "warning",
    isDeferred: true,
    about:
      "a driver object of fs writes in place: a full disk or a killed process empties documents",
    remedy: 'the driver by name: { driver: "fs", base }',
  },
} as const satisfies Readonly<Record<string, DiagnosticKind>>;
