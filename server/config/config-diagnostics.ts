import { error, notice, productionWarning, warning } from "./diagnostic-kind.ts";

/** Diagnostics of shops, secrets, cookies, lifetimes, and origins. */
export const configDiagnostics = {
  // Keys and shops
  SF001: error(
    "an option doesn't exist, is missing, or has an invalid value",
    "the value that the finding names",
  ),
  SF002: error(
    "two shops have the same ID, so no call can reach one of them",
    "a different ID for each shop",
  ),
  SF003: error(
    "two shops have the same host and path, so one of them is unreachable",
    "a different host or path for each shop",
  ),
  SF004: error("more than one shop is the default", "one default shop"),
  SF005: error(
    "a shop lacks the host or path that shopSelector needs",
    "a host or a path, as shopSelector requires",
  ),
  SF006: error("a shop has the same path as the methods", "another path than the methods'"),
  SF007: error(
    "auth and the global commerce both have customer accounts, so a login has two sources",
    "no auth, or a commerce without accounts",
  ),
  SF008: warning(
    "mailer has no effect, because no shop has the built-in accounts",
    "no mailer, or no auth",
  ),
  SF009: error(
    "basket.mergeStrategy has no effect, because the commerce system itself joins the baskets at a login",
    '"merge", or none',
  ),

  // Secrets
  SF101: error(
    "session.secret is not set: the server signs with a random secret, so sessions end with this process",
    "a secret of 32 characters or more, because the server has no default",
    { development: "warning" },
  ),
  SF102: error(
    "session.secret is shorter than 32 characters: production rejects it",
    "a secret of 32 characters or more, or a list of them",
    { development: "warning" },
  ),
  SF103: error(
    "a secret is weak: it repeats itself, or consists of well-known words",
    "random characters, for example from: openssl rand -hex 32",
    { development: "warning" },
  ),
  SF104: notice(
    "shops of different realms share a secret, so anyone who learns it can forge cookies of all realms",
    "a secret for each realm",
  ),
  SF105: warning(
    "the token of admin or devPage is also a session secret or an encryption key, so its users know both",
    "a token that has no other use",
  ),
  SF106: notice(
    "an encryption key is also a session secret, so you can only rotate them together",
    "separate keys",
  ),
  SF107: error(
    "session.secret is not set: each worker would sign with its own secret, and reject the sessions of the others",
    "a secret of 32 characters or more, because all workers need the same",
  ),

  // Cookies
  SF201: error(
    "browsers drop a cookie without Secure if it has SameSite=None, Partitioned, or a __Host- or __Secure- name",
    'true or "auto"',
  ),
  SF202: error(
    "browsers drop a __Host- cookie that has a Domain",
    "no domain, or another cookieName",
  ),
  SF203: productionWarning(
    "browsers send the cookie over plain HTTP, too, so anyone on the network can read it",
    'true or "auto"',
  ),
  SF204: warning(
    "session.domain is neither the shop's host nor a parent of it, so browsers drop the cookie",
    "no domain, or one that contains the shop's host",
  ),
  SF205: warning(
    "anyone can register a name below session.domain, so browsers drop the cookie",
    "no domain, or your own domain, for example shop.example",
  ),
  SF206: notice(
    "session.domain sends the cookie of each shop to the hosts of the other shops",
    "no domain, so that each host has its own cookies",
  ),
  SF207: warning(
    "SameSite=None sends the cookie with calls of other sites, but no other origin is allowed",
    '"lax", or a cors.origin',
  ),
  SF208: warning(
    "a page of another site can call, but its browser doesn't send the cookie",
    '"none", or tokenMethod "bearer"',
  ),
  SF209: notice(
    "a page's scripts can read tokens, so a shop that only browsers use should accept only cookies",
    '"cookie" for browsers, "bearer" for others',
  ),

  // Lifetimes
  SF301: error("the record would outlive its cookie", "no more than maxAge"),
  SF302: warning(
    "the idle timeout has no effect, because the absolute timeout comes first",
    "less than the absolute timeout",
  ),
  SF303: notice(
    "maxAge has no effect, because the cookie ends with the absolute timeout",
    "no more than the absolute timeout",
  ),
  SF304: notice(
    "renewAfter has no effect, because sessions end before",
    "less than the absolute timeout",
  ),
  SF305: notice(
    "a session that a user leaves open on a shared device stays active for more than 30 days",
    "30 days (2592000) or less",
  ),

  // Pages of other origins
  SF401: error(
    "cors.origin lets every website call with the visitor's cookies",
    "the origins of your own pages, or credentials: false",
    { development: "warning" },
  ),
  SF402: warning(
    "a pattern in cors.origin also matches similar names, which anyone can register",
    "dots as \\. and wildcards only before a dot",
  ),
  SF403: productionWarning(
    "a page that came by plain HTTP can call, and anyone on the network can change such a page",
    "https:// origins",
  ),
  SF404: productionWarning(
    "pages on the visitor's own machine can call: correct for some apps, otherwise a leftover from development",
    "the origins of your pages",
  ),
  SF405: warning(
    "a pattern in a shop's host covers names that anyone can register",
    "your own domain, for example *.shop.example",
  ),
};
