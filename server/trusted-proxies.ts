import { BlockList, isIP } from "node:net";

/** Whether the `X-Forwarded-*` headers of a peer are trusted; the address is `undefined` for a Unix socket. */
export type ProxyTrust = (address: string | undefined) => boolean;

/**
 * Compiles `trustProxy`: addresses, ranges in CIDR notation (RFC 4632, 3.1), and names of ranges.
 * @param proxies entries for which {@link isProxyRange} holds
 */
export function createProxyTrust(proxies: boolean | readonly string[]): ProxyTrust {
  if (typeof proxies === "boolean") return () => proxies;
  const trusted = new BlockList();
  for (const [address, prefix] of proxies.flatMap(toRanges)) {
    trusted.addSubnet(address, prefix, familyOf(address));
  }
  return (text) => {
    const address = text === undefined ? undefined : toAddress(text);
    return address !== undefined && trusted.check(address, familyOf(address));
  };
}

/** Whether an entry of `trustProxy` names addresses. */
export function isProxyRange(text: unknown): boolean {
  return typeof text === "string" && toRanges(text).length > 0;
}

/** Whether an entry of `trustProxy` covers every address of a family. */
export function isEverybody(text: string): boolean {
  return toRanges(text).some(([, prefix]) => prefix === 0);
}

/**
 * Reads an IP address that may have brackets, a port, or a zone, as some proxies write it in `X-Forwarded-For`.
 * @returns the address alone, IPv4 in its own form; `undefined` if there is none
 */
export function toAddress(text: string): string | undefined {
  const [, address = text] =
    /^"?\[(.+)\](?::\d*)?"?$/.exec(text) ?? /^"?((?:::ffff:)?[\d.]+)(?::\d*)?"?$/i.exec(text) ?? [];
  const plain = address.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
  return isIP(plain) === 0 ? undefined : plain.toLowerCase();
}

// --- Internal helpers ---

type Range = readonly [address: string, prefix: number];

/** The names that Express has for ranges: RFC 1122 and 4291, RFC 3927 and 4291, RFC 1918 and 4193. */
const named: Readonly<Record<string, readonly Range[]>> = {
  loopback: [
    ["127.0.0.0", 8],
    ["::1", 128],
  ],
  linklocal: [
    ["169.254.0.0", 16],
    ["fe80::", 10],
  ],
  uniquelocal: [
    ["10.0.0.0", 8],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
    ["fc00::", 7],
  ],
};

/** Returns `undefined` if the entry is neither a name, nor an address, nor a range. */
function toRanges(text: string): readonly Range[] {
  if (Object.hasOwn(named, text)) return named[text] as readonly Range[];
  const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] as number;
  const length = prefix === undefined ? bits : Number(prefix);
  return length < 0 || length > bits || address.includes("%") ? [] : [[address, length]];
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}
