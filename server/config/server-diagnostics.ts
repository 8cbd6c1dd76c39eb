import type { DiagnosticKind } from "./diagnostic-kind.ts";

/** Diagnostics of the server, and those that only the doctor finds. */
export const serverDiagnostics = {
  // The server
  SF601: {
    severity: "warning",
    development: "none",
    about: "trustProxy trusts every client: with X-Forwarded-For, each can choose its IP address",
    remedy: "the addresses of your proxies",
  },
  SF602: {
    severity: "notice",
    development: "none",
    about:
      "behind a proxy that terminates TLS, the cookie lacks Secure and all visitors share one IP address",
    remedy: "the addresses of your proxies, if you have any",
  },
  SF603: {
    severity: "warning",
    development: "none",
    about: "attackers can guess passwords without a limit",
    remedy: "an object, or no value for the defaults",
  },
  SF604: {
    severity: "warning",
    about: "the server reads a body of more than a megabyte into memory before it knows the caller",
    remedy: "1000000 or less",
  },
  SF605: {
    severity: "notice",
    about: "a call can take longer than proxies and browsers usually wait",
    remedy: "60 or less",
  },
  SF606: {
    severity: "notice",
    development: "none",
    about: "you can't end a user's sessions from outside, because the admin API is off",
    remedy: "a token of 32 characters or more, if you want the admin API",
  },
  SF607: {
    severity: "warning",
    development: "none",
    about:
      "load balancers keep idle connections for 60 seconds, and respond 502 if the server closes one first",
    remedy: "more than 60",
  },
  SF608: {
    severity: "notice",
    development: "none",
    about:
      "a shutdown can take drainDelay and drainTimeout together, and Kubernetes kills the process after 30 seconds",
    remedy: "30 or less in all, or a longer grace period there",
  },
  SF609: {
    severity: "error",
    about:
      "the headers are part of the request, so Node rejects a headersTimeout above requestTimeout",
    remedy: "headersTimeout no longer than requestTimeout",
  },

  // Only the doctor checks these
  SF701: {
    severity: "error",
    about: "a storage doesn't respond, so every call that needs it would get 503",
    remedy: "a storage that responds",
  },
  SF702: {
    severity: "error",
    about: "the server can't open a storage, so it wouldn't start",
    remedy: "a driver that can be opened",
  },
  SF703: {
    severity: "error",
    about:
      "Redis evicts keys when its memory is full: baskets are lost, and logoutEverywhere can miss a session",
    remedy: "maxmemory-policy noeviction",
  },
  SF704: {
    severity: "warning",
    about: "Redis is too old to push changes, so sessions are not cached",
    remedy: "6 or later",
  },
  SF705: {
    severity: "error",
    about:
      "a storage responds but rejects writes: it is full or read-only, or its user lacks the permission",
    remedy: "a storage that accepts writes",
  },
} as const satisfies Readonly<Record<string, DiagnosticKind>>;
