import type { DiagnosticKind } from "./diagnostic-kind.ts";

/** Diagnostics of the server, and those that only the doctor finds. */
export const serverDiagnostics = {
  // The server
  SF601: {
    severity: "warning",
    development: "none",
    about: "trustProxy believes every caller: with X-Forwarded-For each has the address it likes",
    remedy: "the addresses of your proxies",
  },
  SF602: {
    severity: "notice",
    development: "none",
    about:
      "behind a proxy that ends TLS, the cookie lacks Secure and all visitors have one address",
    remedy: "the addresses of your proxies, if there are any",
  },
  SF603: {
    severity: "warning",
    development: "none",
    about: "passwords may be guessed without end",
    remedy: "an object, or nothing for the defaults",
  },
  SF604: {
    severity: "warning",
    about: "a body of more than a megabyte is read into memory before anybody knows whose it is",
    remedy: "1000000 or less",
  },
  SF605: {
    severity: "notice",
    about: "a call may take longer than proxies and browsers usually wait",
    remedy: "60 or less",
  },
  SF606: {
    severity: "notice",
    development: "none",
    about: "nobody can end a user's sessions from outside, for the admin calls are not there",
    remedy: "a token of 32 characters or more, if you want them",
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

  // What the doctor alone looks at
  SF701: {
    severity: "error",
    about: "a storage does not answer: every call that needs it would get 503",
    remedy: "an answer",
  },
  SF702: {
    severity: "error",
    about: "a storage cannot be opened, so the server would not start",
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
