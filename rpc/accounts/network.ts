import { isIPv4, isIPv6 } from "node:net";

/**
 * The network by which callers are counted: an IPv4 address, or the /64 of an IPv6 address, because one
 * caller can use all addresses of a /64 (RFC 6177).
 */
export function toNetwork(ip: string): string {
  const address = isIPv4(ip) ? `::ffff:${ip}` : ip.replace(/%.*/, "");
  if (!isIPv6(address)) return ip;
  // The URL parser reads all forms of an IP address, and writes one.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  if (text.startsWith("::ffff:")) return text;
  const [head = [], tail = []] = text.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].slice(0, 4).join(":");
}
