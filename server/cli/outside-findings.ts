import type { IncomingHttpHeaders } from "node:http";
import { parseSetCookie } from "cookie-es";
import type { ProblemCode } from "../../rpc/error.ts";
import { createFinding, type ServiceFinding } from "./service-findings.ts";

/** A service as any client sees it, without the admin token. */
export interface OutsideView {
  /** The response to a call of the session that a page of this origin sends. */
  readonly own: CallView;
  /** The response to the same call of another site's page. */
  readonly foreign: CallView;
  /** The `Set-Cookie` of a guest's new session, empty if none arrived; absent if no session was begun. */
  readonly cookie?: string | undefined;
  /** Whether a second request could use the connection of the first one. */
  readonly isConnectionKept: boolean;
  /** Milliseconds by which the `Date` of each response is before or after the round trip, by the clock of this machine. */
  readonly skews: readonly number[];
  /** The response by plain HTTP; absent if none came, or if the URL has a port of its own. */
  readonly plain?: { readonly status: number; readonly location: string | undefined } | undefined;
}

/** The response to a call. */
export interface CallView {
  readonly status: number;
  /** The code of a problem. */
  readonly code: string | undefined;
  /** The cause, in the service's own words. */
  readonly detail?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** The origin of the other site's page. `.invalid` belongs to nobody (RFC 2606). */
export const foreignOrigin = "https://storefront-doctor.invalid";

/** Checks the responses of a service, without the admin token. */
export function judgeOutside(url: URL, view: OutsideView): readonly ServiceFinding[] {
  const { own, foreign, cookie, isConnectionKept, skews, plain } = view;
  const findings: ServiceFinding[] = [];
  const report = (code: ServiceFinding["code"], found: string | undefined) => {
    if (found !== undefined) findings.push(createFinding(code, found));
  };
  if (own.code === "foreign_origin") report("SF804", `403 for the origin ${url.origin}`);
  else report("SF815", findOtherAnswer(own));
  report("SF811", findSkew(skews));
  if (cookie !== undefined) report("SF816", findCookieFault(url, cookie));
  if (isCallableBy(foreignOrigin, foreign)) report("SF817", `calls of ${foreignOrigin}`);
  if (isPlain(url, own, plain)) report("SF818", `${plain?.status} from http://${url.host}`);
  if (isAnswered(own)) report("SF819", findCache(own.headers));
  if (!isConnectionKept) report("SF820", "a closed connection");
  report("SF821", findVersion(own.headers));
  return findings;
}

/** Whether a shop of a service has responded, and not another program. */
export function isAnswered({ status, headers }: CallView): boolean {
  return status === 200 && headers["content-type"]?.startsWith("application/json") === true;
}

// --- Internal helpers ---

/** Milliseconds, as with the exact times that the service itself reports. */
const largestSkew = 1000;

/** The codes of calls that reach no shop. The shop's own methods and hooks can respond with any other problem. */
const unreached = new Set<string | undefined>([
  undefined,
  "unknown_shop",
  "unknown_path",
  "unknown_method",
] satisfies (ProblemCode | undefined)[]);

function findOtherAnswer(call: CallView): string | undefined {
  if (isAnswered(call) || !unreached.has(call.code)) return undefined;
  const { status, code, detail, headers } = call;
  if (code === undefined) return `${status} ${headers["content-type"] ?? "without a content type"}`;
  return detail === undefined ? `${status} ${code}` : `${status} ${code}: ${detail.slice(0, 400)}`;
}

function findSkew(skews: readonly number[]): string | undefined {
  const [largest = 0] = skews.toSorted((a, b) => Math.abs(b) - Math.abs(a));
  return Math.abs(largest) > largestSkew ? `${(largest / 1000).toFixed(1)} s` : undefined;
}

/** The reason why browsers drop a cookie, send it in plain text, or show it to scripts. */
function findCookieFault({ protocol, hostname }: URL, text: string): string | undefined {
  const { httpOnly, secure, sameSite, path, domain } = parseSetCookie(text) ?? {};
  if (!/=s(?:%3A|:)/i.test(text)) return "no session cookie";
  if (protocol === "https:" && secure !== true) return "a cookie without Secure";
  if (httpOnly !== true) return "a cookie without HttpOnly";
  if (sameSite === undefined) return "a cookie without SameSite";
  if (path !== "/") return `a cookie with Path=${path ?? ""}`;
  const parent = domain?.replace(/^\./, "");
  if (parent === undefined || hostname === parent || hostname.endsWith(`.${parent}`))
    return undefined;
  return `a cookie with Domain=${parent}`;
}

/** Whether a page of another origin can read the response to a call with the visitor's cookies. */
function isCallableBy(origin: string, { status, headers }: CallView): boolean {
  const allowed = headers["access-control-allow-origin"];
  return (
    status < 400 && allowed === origin && headers["access-control-allow-credentials"] === "true"
  );
}

/** Whether a browser that opens the page by plain HTTP, without a link, stays there. */
function isPlain({ protocol }: URL, { headers }: CallView, plain: OutsideView["plain"]): boolean {
  if (protocol !== "https:" || plain === undefined) return false;
  if (headers["strict-transport-security"] !== undefined) return false;
  return plain.status < 300 || (plain.status < 400 && !plain.location?.startsWith("https:"));
}

function findCache({ age, "cache-control": rule = "" }: IncomingHttpHeaders): string | undefined {
  if (!/\bno-store\b/i.test(rule)) return `Cache-Control: ${rule}`;
  return age === undefined ? undefined : `Age: ${age}`;
}

function findVersion({ server, "x-powered-by": engine }: IncomingHttpHeaders): string | undefined {
  if (engine !== undefined) return `X-Powered-By: ${String(engine)}`;
  return server !== undefined && /\d/.test(String(server))
    ? `Server: ${String(server)}`
    : undefined;
}
