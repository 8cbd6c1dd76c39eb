import type { DiagnosticKind } from "./diagnostic-kind.ts";

/** Diagnostics of storages. */
export const storageDiagnostics = {
  SF501: {
    severity: "warning",
    about:
      "the memory driver is for development: what it holds ends with this process, and no other sees it",
    remedy: '{ driver: "redis", url }',
  },
  SF502: {
    severity: "warning",
    about: "there are several processes, and the driver keeps its promises within one only",
    remedy: '{ driver: "redis", url }, or one process',
  },
  SF503: {
    severity: "notice",
    development: "none",
    about: "the driver is atomic within one process only, also where several share what it stores",
    remedy: '{ driver: "redis", url }, or one process',
  },
  SF504: {
    severity: "warning",
    about: "the driver forgets by itself: sessions and baskets vanish",
    remedy: '{ driver: "redis", url }',
  },
  SF505: {
    severity: "warning",
    about: "ttl of a driver is of no use: each document has its own end, as maxAge and others say",
    remedy: "no ttl",
  },
  SF506: {
    severity: "warning",
    about: "the driver may answer with what was: a logged-out session would live on for a while",
    remedy: '{ driver: "redis", url }',
  },
  SF507: {
    severity: "notice",
    development: "none",
    about: "what is sent to a Redis elsewhere can be read on the line",
    remedy: "rediss:// or the option tls",
  },
  SF508: {
    severity: "warning",
    development: "none",
    about: "a Redis elsewhere is asked without a password: whoever reaches it has all sessions",
    remedy: "a password, in the url or as an option",
  },
  SF509: {
    severity: "warning",
    about: "two storages lie at one place, each with locks of its own, so changes can be lost",
    remedy: "one object, used at both places",
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
      "the storage is not atomic, and returns stale data: writes are lost, also in one process",
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
