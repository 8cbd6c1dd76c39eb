import type { DiagnosticKind } from "./diagnostic-kind.ts";

/** Diagnostics of shops, secrets, cookies, lifetimes, and origins. */
export const configDiagnostics = {
  // Keys and shops
  SF001: {
    severity: "error",
    about: "a key doesn't exist, is missing, or has an invalid value",
    remedy: "the value that the finding names",
  },
  SF002: {
    severity: "error",
    about: "two shops have the same ID, so no call can reach one of them",
    remedy: "a different ID for each shop",
  },
  SF003: {
    severity: "error",
    about: "two shops have the same host and path, so one of them is unreachable",
    remedy: "a different host or path for each shop",
  },
  SF004: {
    severity: "error",
    about: "more than one shop is the default",
    remedy: "one default shop",
  },
  SF005: {
    severity: "error",
    about: "a shop lacks the host or path that shopSelector needs",
    remedy: "a host or a path, as shopSelector requires",
  },
  SF006: {
    severity: "error",
    about: "a shop has the same path as the methods",
    remedy: "another path than the methods'",
  },

  // Secrets
  SF101: {
    severity: "error",
    development: "warning",
    about:
      "session.secret is not set: the server signs with a random secret, so sessions end with this process",
    remedy: "a secret of 32 characters or more: there is no default",
  },
  SF102: {
    severity: "error",
    development: "warning",
    about: "session.secret is shorter than 32 characters: production rejects it",
    remedy: "a secret of 32 characters or more, or a list of them",
  },
  SF103: {
    severity: "error",
    development: "warning",
    about: "a secret is weak: it repeats itself, or consists of well-known words",
    remedy: "random characters, for example from: openssl rand -hex 32",
  },
  SF104: {
    severity: "notice",
    about:
      "shops of different realms share a secret, so anyone who learns it can forge cookies of all realms",
    remedy: "a secret for each realm",
  },
  SF105: {
    severity: "warning",
    about: "the admin token is also a session secret or an encryption key, so its users know both",
    remedy: "a token that has no other use",
  },
  SF106: {
    severity: "notice",
    about: "an encryption key is also a session secret, so you can only rotate them together",
    remedy: "separate keys",
  },

  // Cookies
  SF201: {
    severity: "error",
    about:
      "browsers drop a cookie without Secure if it has SameSite=None, Partitioned, or a __Host- or __Secure- name",
    remedy: 'true or "auto"',
  },
  SF202: {
    severity: "error",
    about: "browsers drop a __Host- cookie that has a Domain",
    remedy: "no domain, or another cookieName",
  },
  SF203: {
    severity: "warning",
    development: "none",
    about: "browsers send the cookie over plain HTTP, too, so anyone on the network can read it",
    remedy: 'true or "auto"',
  },
  SF204: {
    severity: "warning",
    about:
      "session.domain is neither the shop's host nor a parent of it, so browsers drop the cookie",
    remedy: "no domain, or one that contains the shop's host",
  },
  SF205: {
    severity: "warning",
    about: "anyone can register a name below session.domain, so browsers drop the cookie",
    remedy: "no domain, or your own domain, for example shop.example",
  },
  SF206: {
    severity: "notice",
    about: "session.domain sends the cookie of each shop to the hosts of the other shops",
    remedy: "no domain, so that each host has its own cookies",
  },
  SF207: {
    severity: "warning",
    about:
      "SameSite=None sends the cookie with calls of other sites, but no other origin is allowed",
    remedy: '"lax", or a cors.origin',
  },
  SF208: {
    severity: "warning",
    about: "a page of another site can call, but its browser doesn't send the cookie",
    remedy: '"none", or tokenMethod "bearer"',
  },
  SF209: {
    severity: "notice",
    about:
      "a page's scripts can read tokens, so a shop that only browsers use should accept only cookies",
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
    about: "the idle timeout has no effect, because the absolute timeout comes first",
    remedy: "less than the absolute timeout",
  },
  SF303: {
    severity: "notice",
    about: "maxAge has no effect, because the cookie ends with the absolute timeout",
    remedy: "no more than the absolute timeout",
  },
  SF304: {
    severity: "notice",
    about: "renewAfter has no effect, because sessions end before",
    remedy: "less than the absolute timeout",
  },
  SF305: {
    severity: "notice",
    about:
      "a session that a user leaves open on a shared device stays active for more than 30 days",
    remedy: "30 days (2592000) or less",
  },

  // Pages of other origins
  SF401: {
    severity: "error",
    development: "warning",
    about: "cors.origin lets every website call with the visitor's cookies",
    remedy: "the origins of your own pages, or credentials: false",
  },
  SF402: {
    severity: "warning",
    about: "a pattern in cors.origin also matches similar names, which anyone can register",
    remedy: "dots as \\. and wildcards only before a dot",
  },
  SF403: {
    severity: "warning",
    development: "none",
    about:
      "a page that came by plain HTTP can call, and anyone on the network can change such a page",
    remedy: "https:// origins",
  },
  SF404: {
    severity: "warning",
    development: "none",
    about:
      "pages on the visitor's own machine can call: correct for some apps, otherwise a leftover from development",
    remedy: "the origins of your pages",
  },
  SF405: {
    severity: "warning",
    about: "a pattern in a shop's host covers names that anyone can register",
    remedy: "your own domain, for example *.shop.example",
  },
} as const satisfies Readonly<Record<string, DiagnosticKind>>;
