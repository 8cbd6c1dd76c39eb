import type { ConfigFault } from "./config-error.ts";
import { storageFindings } from "./storage-diagnostics.ts";

/** An error stops the start, the start prints a warning, and a notice is for `storefront doctor`. */
export type Severity = "error" | "warning" | "notice";

/** What can be found in a config, and in the storages behind it. */
export interface FindingKind {
  /** In production. */
  readonly severity: Severity;
  /** In development, where that differs; `none`: it is no finding there. */
  readonly development?: Severity | "none";
  /**
   * Whether `createStorefront` does not throw for this error: the CLI checks it at startup, other servers at the first
   * call. A bundler loads the config in another environment, and must not fail.
   */
  readonly isDeferred?: boolean;
  /** What it means, in a sentence that the start prints of a warning. */
  readonly about: string;
  /** What is expected instead, unless a rule can say it better. */
  readonly remedy: string;
}

export type FindingCode = keyof typeof findingKinds;

/** Something that was found, and where. */
export interface Finding extends ConfigFault {
  readonly code: FindingCode;
  readonly severity: Severity;
}

/** Says what was found at a place of the config; `expected` is by default the remedy of the table. */
export type Report = (code: FindingCode, path: string, found: string, expected?: string) => void;

/** All that can be found, for the start and the doctor alike; docs/doctor.md has the same table. */
export const findingKinds = {
  // Keys and shops
  SF001: {
    severity: "error",
    about: "a key does not exist, is missing, or cannot have this value",
    remedy: "what the finding says",
  },
  SF002: {
    severity: "error",
    about: "two shops have one id, so one of them could not be called",
    remedy: "each id once",
  },
  SF003: {
    severity: "error",
    about: "two shops have one place, so one of them could not be found",
    remedy: "each place once",
  },
  SF004: {
    severity: "error",
    about: "more than one shop is the default",
    remedy: "one default shop",
  },
  SF005: {
    severity: "error",
    about: "a shop lacks the place that shopSelector looks for",
    remedy: "a host or a path, as shopSelector asks for",
  },
  SF006: {
    severity: "error",
    about: "a shop's path is the one that the methods are at",
    remedy: "another path than the methods'",
  },

  // Secrets
  SF101: {
    severity: "error",
    development: "warning",
    about:
      "session.secret is not set: development signs with a random one, so sessions end with this process",
    remedy: "a secret of 32 characters or more: there is none by default",
  },
  SF102: {
    severity: "error",
    development: "warning",
    about: "session.secret is shorter than 32 characters: production would refuse it",
    remedy: "a secret of 32 characters or more, or a list of them",
  },
  SF103: {
    severity: "error",
    development: "warning",
    about: "a secret can be guessed: it repeats itself, or is made of well-known words",
    remedy: "random characters, for example from: openssl rand -hex 32",
  },
  SF104: {
    severity: "notice",
    about:
      "shops of different realms have one secret, so who learns it can forge the cookies of all",
    remedy: "a secret for each realm",
  },
  SF105: {
    severity: "warning",
    about:
      "the admin token is a session secret or an encryption key too: whoever calls with it knows both",
    remedy: "a token that is used for nothing else",
  },
  SF106: {
    severity: "notice",
    about: "an encryption key is a session secret too, so they can only be rotated together",
    remedy: "keys of their own",
  },

  // Cookies
  SF201: {
    severity: "error",
    about:
      "browsers drop a cookie without Secure that has SameSite=None, Partitioned or such a name",
    remedy: 'true or "auto"',
  },
  SF202: {
    severity: "error",
    about: "browsers drop a __Host- cookie that has a Domain",
    remedy: "nothing, or another cookieName",
  },
  SF203: {
    severity: "warning",
    development: "none",
    about: "the cookie travels over plain HTTP too, where anybody on the line can read it",
    remedy: 'true or "auto"',
  },
  SF204: {
    severity: "warning",
    about: "session.domain is not the shop's host nor above it, so browsers drop the cookie",
    remedy: "nothing, or a domain that the shop's host is in",
  },
  SF205: {
    severity: "warning",
    about: "session.domain is one under which anybody can have a name, so browsers drop the cookie",
    remedy: "nothing, or a domain of your own, as shop.example",
  },
  SF206: {
    severity: "notice",
    about: "session.domain sends the cookie of each of several shops to the hosts of the others",
    remedy: "nothing, so that each host keeps its own cookies",
  },
  SF207: {
    severity: "warning",
    about: "SameSite=None sends the cookie along with foreign pages' calls, though none is let in",
    remedy: '"lax", or a cors.origin',
  },
  SF208: {
    severity: "warning",
    about: "a page of another site may call, but its browser sends no cookie along",
    remedy: '"none", or tokenMethod "bearer"',
  },
  SF209: {
    severity: "notice",
    about:
      "a page's scripts can read tokens, so a shop for browsers alone should take cookies alone",
    remedy: '"cookie" for browsers, "bearer" for others',
  },

  // Lifetimes
  SF301: {
    severity: "error",
    about: "the record would outlive its cookie",
    remedy: "no more than maxAge",
  },
  SF302: {
    severity: "warning",
    about: "the idle timeout never comes, for the absolute one comes before",
    remedy: "less than the absolute timeout",
  },
  SF303: {
    severity: "notice",
    about: "maxAge never comes, for a cookie ends with the absolute timeout",
    remedy: "no more than the absolute timeout",
  },
  SF304: {
    severity: "notice",
    about: "sessions never get a new id, for they end before",
    remedy: "less than the absolute timeout",
  },
  SF305: {
    severity: "notice",
    about: "a session that was left on some machine stays open for more than 30 days",
    remedy: "30 days (2592000) or less",
  },

  // Pages of other origins
  SF401: {
    severity: "error",
    development: "warning",
    about: "cors.origin lets every page of the world call with the visitor's cookies",
    remedy: "the origins of your own pages, or credentials: false",
  },
  SF402: {
    severity: "warning",
    about: "a pattern in cors.origin lets in look-alikes, whose names anybody can register",
    remedy: "dots as \\. and wildcards only in front of one",
  },
  SF403: {
    severity: "warning",
    development: "none",
    about: "a page that came by plain HTTP may call: anybody on the line can have written it",
    remedy: "https:// origins",
  },
  SF404: {
    severity: "warning",
    development: "none",
    about:
      "pages of the visitor's own machine may call: right for some apps, else left from development",
    remedy: "the origins of your pages",
  },
  SF405: {
    severity: "warning",
    about: "a pattern in a shop's host covers names that anyone can register",
    remedy: "a domain of your own, for example *.shop.example",
  },

  // Storages
  ...storageFindings,

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
} as const satisfies Readonly<Record<string, FindingKind>>;

/** How much a finding matters; `none` where it is none. */
export function severityOf(code: FindingCode, mode: { production: boolean }): Severity | "none" {
  const kind: FindingKind = findingKinds[code];
  return mode.production ? kind.severity : (kind.development ?? kind.severity);
}

/** Whether `createStorefront` does not throw for an error. */
export function isDeferred(code: string): boolean {
  const kinds: Readonly<Record<string, FindingKind>> = findingKinds;
  return kinds[code]?.isDeferred === true;
}

/** Collects what is reported, each finding once: one in global settings is made for each shop. */
export function createFindings(mode: { production: boolean }): {
  readonly report: Report;
  list(): readonly Finding[];
} {
  const findings = new Map<string, Finding>();
  return {
    report(code, path, found, expected = findingKinds[code].remedy) {
      const severity = severityOf(code, mode);
      if (severity === "none") return;
      const finding = { code, severity, path, found, expected };
      findings.set(JSON.stringify(finding), finding);
    },
    list: () => [...findings.values()],
  };
}

/** A line for each kind of warning, with its places. */
export function toWarnings(findings: readonly Finding[]): string[] {
  const warnings = findings.filter(({ severity }) => severity === "warning");
  return [...new Set(warnings.map(({ code }) => code))].map((code) => {
    const places = warnings.filter((warning) => warning.code === code).map(({ path }) => path);
    return `${findingKinds[code].about} (${code}: ${places.join(", ")})`;
  });
}
