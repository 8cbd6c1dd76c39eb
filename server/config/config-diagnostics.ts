import type { DiagnosticKind } from "./diagnostic-kind.ts";

/** Diagnostics of shops, secrets, cookies, lifetimes, and origins. */
export const configDiagnostics = {
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
} as const satisfies Readonly<Record<string, DiagnosticKind>>;
