import type { ServerRequest } from "srvx";
import { toAddress, type ProxyTrust } from "./trusted-proxies.ts";

/** The values that trusted proxies report about a request. */
export interface Forwarded {
  /** The client's IP address: the nearest one that isn't a trusted proxy's. */
  readonly ip: string | undefined;
  readonly protocol: "http:" | "https:" | undefined;
  /** With a port if the client's URL had one. */
  readonly host: string | undefined;
}

/**
 * Reads the `X-Forwarded-*` headers of a request, as far as `trusts` trusts the peer and the proxies before it.
 * If the peer isn't trusted, the values of the server around the storefront stay.
 */
export function readForwarded(request: ServerRequest, trusts: ProxyTrust): Forwarded {
  const peer = request.runtime?.node?.req.socket?.remoteAddress ?? request.ip;
  if (!trusts(peer)) return { ip: normalize(request.ip), protocol: undefined, host: undefined };
  const { headers } = request;
  const { ip = peer, hops } = findClient(toList(headers.get("x-forwarded-for")), trusts);
  const protocol = valueOf(headers.get("x-forwarded-proto"), hops)?.toLowerCase();
  const host = valueOf(headers.get("x-forwarded-host"), hops);
  return {
    ip: normalize(ip),
    protocol: protocol === "https" || protocol === "http" ? `${protocol}:` : undefined,
    host: host !== undefined && isHost(host) ? host : undefined,
  };
}

// --- Internal helpers ---

interface Client {
  /** Absent if no proxy reported an IP address. */
  readonly ip: string | undefined;
  /** The number of trusted proxies between the client and this server. */
  readonly hops: number;
}

/** Each proxy appends the address of its own peer, so the entries are read from the end. */
function findClient(entries: readonly string[], trusts: ProxyTrust): Client {
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
function valueOf(header: string | null, hops: number): string | undefined {
  const values = toList(header);
  return values[Math.max(0, values.length - hops)];
}

function toList(header: string | null): readonly string[] {
  if (header === null) return [];
  return header
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function isHost(text: string): boolean {
  return /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.test(text) && URL.canParse(`http://${text}`);
}

function normalize(ip: string | undefined): string | undefined {
  return ip === undefined ? undefined : (toAddress(ip) ?? ip);
}
