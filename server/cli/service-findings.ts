import { error, warning, type DiagnosticKind } from "../config/diagnostic-kind.ts";
import type { Inspection } from "../inspect.ts";

/** All findings about a running service. docs/doctor.md has the same table. */
export const serviceFindings = {
  SF801: error("no ready server responds at this URL", "200 from /readyz, through the proxy"),
  SF802: error(
    "the service rejects the admin token of this config, or its proxy blocks admin calls",
    "the service's own admin.token, and a proxy that passes on {basePath}/admin/",
  ),
  SF803: error(
    "the server sees another scheme than the browser, so cookies can lack Secure",
    "X-Forwarded-Proto from a proxy that trustProxy contains",
  ),
  SF804: error(
    "the server sees another host than the browser, so it rejects the shop's own pages",
    "Host or X-Forwarded-Host from the proxy, or publicUrl",
  ),
  SF805: error(
    "the server trusts an IP address that the client made up, so limits per IP address have no effect",
    "a proxy that appends to X-Forwarded-For or replaces it, and trustProxy with the proxies only",
  ),
  SF806: error(
    "headers of a proxy arrive, but trustProxy lacks the proxy, so all visitors share its IP address",
    "the address of the proxy in trustProxy",
  ),
  SF807: error("the proxy changes the session cookie", "the same Set-Cookie as the server sent"),
  SF808: error("a storage doesn't respond to the service", "a storage that responds"),
  SF809: warning(
    "a storage is slow, so each call is, too",
    "less than 50 ms for a write and a read",
  ),
  SF810: error(
    "Redis evicts keys when its memory is full: sessions and baskets are lost",
    "maxmemory-policy noeviction",
  ),
  SF811: warning(
    "the clocks of the servers and of this machine differ, so sessions can end early or late",
    "a difference of 1 second or less: check NTP on each machine",
  ),
  SF812: warning(
    "the server has closed idle connections of a proxy: a call that is on its way on one gets 502",
    "server.keepAliveTimeout above the time that the proxy keeps idle connections",
  ),
  SF813: warning(
    "Redis has little memory left: when it is full, logins and changes fail",
    "at most 80 % of maxmemory in use",
  ),
  SF814: error(
    "the server learns late that a session has ended on another server",
    "less than 1 second from a change in the storage to this server",
  ),
  SF815: error(
    "calls at this URL don't reach a shop of the service",
    "a proxy that passes on {basePath}/rpc/, and a shop at this host and path",
  ),
  SF816: error(
    "browsers drop the session cookie that arrives, or others than the server can read it",
    "Secure by HTTPS, HttpOnly, SameSite, Path=/, and no Domain but the host or a parent of it",
  ),
  SF817: error(
    "pages of any website can call with the visitor's cookies",
    "cors.origin with your own pages only, and a proxy that passes on Origin and adds no Access-Control headers",
  ),
  SF818: warning(
    "a browser that opens the shop by plain HTTP stays there, so anyone on the network can read along",
    "a redirect to https://, or Strict-Transport-Security",
  ),
  SF819: error(
    "a cache can store responses of a session, and send them to other visitors",
    "Cache-Control: no-store, as the server sends it, and no cache for calls",
  ),
  SF820: warning(
    "the proxy closes the connection after each response, so each call has to open a new one",
    "connections to clients that stay open",
  ),
  SF821: warning(
    "response headers name the versions of your software, which attackers look for",
    "no X-Powered-By, and no version in Server",
  ),
} satisfies Record<string, DiagnosticKind>;

/** A finding about a running service. */
export interface ServiceFinding {
  readonly code: keyof typeof serviceFindings;
  readonly severity: DiagnosticKind["severity"];
  readonly found: string;
  readonly expected: string;
}

/** The address of a network for documentation (RFC 5737), which no client has. */
export const forgedAddress = "192.0.2.123";

/** A service as it inspects itself by a call of the doctor, and the response as it arrives. */
export interface InsideView {
  readonly inspection: Inspection;
  /** The `Set-Cookie` headers that arrived. */
  readonly cookies: readonly string[];
  /** Milliseconds from the middle of the round trip to the server's clock. */
  readonly skew: number;
  /** Milliseconds. */
  readonly roundTrip: number;
}

/** The findings that only a service with the admin token can report about itself. */
export const findingsWithToken: readonly ServiceFinding["code"][] = [
  "SF802",
  "SF803",
  "SF805",
  "SF806",
  "SF807",
  "SF808",
  "SF809",
  "SF810",
  "SF812",
  "SF813",
  "SF814",
];

/** The findings from outside that the service itself reports more exactly, if there is a token. */
export const refinedWithToken: ReadonlySet<ServiceFinding["code"]> = new Set([
  "SF804",
  "SF811",
  "SF816",
]);

export function createFinding(code: ServiceFinding["code"], found: string): ServiceFinding {
  const { severity, remedy } = serviceFindings[code];
  // Another program's text can have lines, and control the terminal.
  const line = found.replace(/\p{Cc}+/gu, " ");
  return { code, severity, found: line, expected: remedy };
}

/**
 * Checks how a request arrived through the proxies.
 * @param hasPublicUrl whether the config names the browser's origin, so that the host may differ
 */
export function judgeInside(
  url: URL,
  { inspection, cookies, skew, roundTrip }: InsideView,
  hasPublicUrl: boolean,
): readonly ServiceFinding[] {
  const findings: ServiceFinding[] = [];
  const report = (code: ServiceFinding["code"], found: string) => {
    findings.push(createFinding(code, found));
  };
  const { protocol, host } = new URL(inspection.origin);
  if (protocol !== url.protocol) report("SF803", protocol.slice(0, -1));
  if (host !== url.host && !hasPublicUrl) report("SF804", host);
  if (inspection.ip === forgedAddress) report("SF805", forgedAddress);
  // The doctor itself sends X-Forwarded-For, so that header alone doesn't show a proxy.
  const names = inspection.proxyHeaders.filter((name) => name !== "x-forwarded-for");
  if (!inspection.isTrusted && names.length > 0) report("SF806", names.join(", "));
  for (const [index, sent] of inspection.cookies.entries()) {
    if (cookies[index] !== sent) report("SF807", cookies[index] ?? "no cookie");
  }
  for (const storage of inspection.storages) {
    const { uses, driver, milliseconds, evictionPolicy, memoryUse = 0, changeDelay = 0 } = storage;
    if (milliseconds === undefined) report("SF808", `${driver} for ${uses}`);
    else if (milliseconds > 50) report("SF809", `${driver} for ${uses}: more than 50 ms`);
    if (evictionPolicy !== undefined) report("SF810", evictionPolicy);
    if (memoryUse > 0.8) report("SF813", `${Math.round(memoryUse * 100)} %`);
    if (changeDelay >= 1) report("SF814", `${changeDelay.toFixed(1)} s or more`);
  }
  if (inspection.idleConnections > 0) report("SF812", String(inspection.idleConnections));
  if (Math.abs(skew) > 1000 + roundTrip / 2) report("SF811", `${(skew / 1000).toFixed(1)} s`);
  return findings;
}
