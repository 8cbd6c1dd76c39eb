import { BlockList, isIP, isIPv4 } from "node:net";
import { toRanges } from "./config/proxy-ranges.ts";

/**
 * Compiles `trustProxy`: addresses, ranges in CIDR notation (RFC 4632, 3.1), and names of ranges.
 * @param proxies entries for which `isProxyRange` holds
 * @returns whether the `X-Forwarded-*` headers of a peer are trusted; its address is `undefined` for a Unix socket
 */
export function createProxyTrust(
  proxies: boolean | readonly string[],
): (address: string | undefined) => boolean {
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

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}
