import { isIP } from "node:net";

/** Whether an entry of `trustProxy` is valid. */
export function isProxyRange(entry: unknown): boolean {
  return typeof entry === "string" && toRanges(entry).length > 0;
}

/** Whether an entry of `trustProxy` covers every IPv4 or every IPv6 address. */
export function isEveryAddress(entry: string): boolean {
  return toRanges(entry).some(([, prefix]) => prefix === 0);
}

/**
 * Reads an entry of `trustProxy`: an address, a range in CIDR notation (RFC 4632, 3.1), or a name.
 * @returns ranges of addresses with the same first `prefix` bits; none for an invalid entry
 */
export function toRanges(entry: string): readonly Range[] {
  const ranges = named.get(entry);
  if (ranges !== undefined) return ranges;
  const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] as number;
  const length = prefix === undefined ? bits : Number(prefix);
  return length < 0 || length > bits || address.includes("%") ? [] : [[address, length]];
}

// --- Internal helpers ---

type Range = readonly [address: string, prefix: number];

/**
 * The names that Express has for ranges: RFC 1122 and 4291, RFC 3927 and 4291, RFC 1918 and 4193. They are written as
 * ranges, because Node's check of the first IPv6 address takes 5 ms.
 */
const named = new Map<string, readonly Range[]>([
  [
    "loopback",
    [
      ["127.0.0.0", 8],
      ["::1", 128],
    ],
  ],
  [
    "linklocal",
    [
      ["169.254.0.0", 16],
      ["fe80::", 10],
    ],
  ],
  [
    "uniquelocal",
    [
      ["10.0.0.0", 8],
      ["172.16.0.0", 12],
      ["192.168.0.0", 16],
      ["fc00::", 7],
    ],
  ],
]);
