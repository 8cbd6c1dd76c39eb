import type { ServerRequest } from "srvx";
import type { StorefrontOptions } from "./config/options.ts";
import { createPeerLookup, createProxyTrust, toAddress } from "./peer.ts";

/** The values that trusted proxies report about a request. */
export interface Forwarded {
  /** The client's IP address: the nearest one that isn't a trusted proxy's. */
  readonly ip: string | undefined;
  readonly protocol: "http:" | "https:" | undefined;
  /** With a port if the client's URL had one. */
  readonly host: string | undefined;
  /** Whether `trustProxy` contains the peer. */
  readonly isTrusted: boolean;
}

/**
 * Creates the function that reads the `X-Forwarded-*` headers of a request, or else `Forwarded` (RFC 7239). It trusts
 * them as far as `trustProxy` contains the peer and its proxies, and else keeps the surrounding server's values.
 */
export function createForwardedReader(
  options: StorefrontOptions,
): (request: ServerRequest) => Forwarded {
  const trusts = createProxyTrust(options.trustProxy);
  const peers = createPeerLookup(options);
  return (request) => {
    const named = peers.named(request);
    const peer = named ?? peers.connected(request);
    if (!trusts(peer)) {
      const ip = normalize(named ?? request.ip) ?? normalize(peer);
      return { ip, protocol: undefined, host: undefined, isTrusted: false };
    }
    const reports = readReports(request.headers);
    const { ip = peer, hops } = findClient(reports.addresses, trusts);
    const protocol = valueOf(reports.protocols, hops)?.toLowerCase();
    const host = valueOf(reports.hosts, hops);
    return {
      ip: normalize(ip),
      protocol: protocol === "https" || protocol === "http" ? `${protocol}:` : undefined,
      host: host !== undefined && isHost(host) ? host : undefined,
      isTrusted: true,
    };
  };
}

/** Whether a text is a host with an optional port. */
export function isHost(text: string): boolean {
  return /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.test(text) && URL.canParse(`http://${text}`);
}

// --- Internal helpers ---

/**
 * Reads the values of all proxies, the one nearest to the client first. Most proxies send `X-Forwarded-*` and pass
 * `Forwarded` on as the client wrote it, so those win.
 */
function readReports(headers: Headers) {
  const addresses = headers.get("x-forwarded-for");
  const protocols = headers.get("x-forwarded-proto");
  const hosts = headers.get("x-forwarded-host");
  const forwarded = headers.get("forwarded");
  if (forwarded !== null && addresses === null && protocols === null && hosts === null) {
    return parseForwarded(forwarded);
  }
  return { addresses: toList(addresses), protocols: toList(protocols), hosts: toList(hosts) };
}

/** Reads `for=192.0.2.1;proto=https;host=shop.example, for="[2001:db8::1]:80"` (RFC 7239, 4). */
function parseForwarded(header: string) {
  const elements = [new Map<string, string>()];
  for (const [found, name = "", quoted, plain = ""] of header.matchAll(pairOrComma)) {
    if (found === ",") elements.push(new Map());
    else elements.at(-1)?.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/gs, "$1") ?? plain);
  }
  // Each element is a proxy's, so a value that it leaves out keeps its position.
  const valuesOf = (name: string) => elements.map((element) => element.get(name) ?? "");
  return { addresses: valuesOf("for"), protocols: valuesOf("proto"), hosts: valuesOf("host") };
}

/** The lookbehind lets a name begin at one position only: otherwise a long name without `=` takes quadratic time. */
const pairOrComma = /(?<![^\s=;,"])([^\s=;,"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))|,/gs;

/**
 * Each proxy appends the address of its own peer, so the entries are read from the end.
 * @returns the IP address, if a proxy reported one, and the number of trusted proxies before this server
 */
function findClient(entries: readonly string[], trusts: ReturnType<typeof createProxyTrust>) {
  let ip: string | undefined;
  for (const [index, entry] of entries.toReversed().entries()) {
    const address = toAddress(entry);
    // For example "unknown": then the proxy that wrote it is the last known address.
    if (address === undefined) return { ip, hops: index + 1 };
    ip = address;
    if (!trusts(address)) return { ip, hops: index + 1 };
  }
  return { ip, hops: Infinity };
}

/** The value of the proxy nearest to the client. A proxy can set the header (one value) or append to it (several). */
function valueOf(values: readonly string[], hops: number): string | undefined {
  return values[Math.max(0, values.length - hops)];
}

function toList(header: string | null): readonly string[] {
  if (header === null) return [];
  return header
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** A host can give a text instead of an address, such as "unknown": all clients would share its limits. */
function normalize(ip: unknown): string | undefined {
  return typeof ip === "string" ? toAddress(ip) : undefined;
}
