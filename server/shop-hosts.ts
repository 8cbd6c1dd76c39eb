import { toHostName, toHosts } from "./config/hosts.ts";

/**
 * The hosts that a shop is served at. A host without a port means any port; `*.shop.example` means every host below
 * `shop.example`, and not that host itself.
 */
export class ShopHosts {
  readonly #hosts: readonly HostPattern[];

  constructor(host: string | readonly string[] | undefined) {
    this.#hosts = toHosts(host).map(toPattern);
  }

  /** Whether the shop has hosts of its own. */
  get exist(): boolean {
    return this.#hosts.length > 0;
  }

  /** How closely the shop's hosts match a URL: 0 is no match, the highest is an exact host with a port. */
  rank(url: URL): number {
    return this.#hosts.reduce((best, pattern) => Math.max(best, rankOf(pattern, url)), 0);
  }
}

/** The port of a URL, also if it is the default of its scheme. */
export function portOf({ port, protocol }: URL): string {
  if (port !== "") return port;
  return protocol === "https:" ? "443" : "80";
}

// --- Internal helpers ---

interface HostPattern {
  readonly name: string;
  readonly port: string | undefined;
  /** Whether this is a pattern for the hosts below the name. */
  readonly isBelow: boolean;
}

/** Above the length of any host name. */
const exact = 1000;

function toPattern(host: string): HostPattern {
  return {
    name: toHostName(host),
    port: /:(\d+)$/.exec(host)?.[1],
    isBelow: host.startsWith("*."),
  };
}

/** Of two patterns, the longer one is the closer match. */
function rankOf({ name, port, isBelow }: HostPattern, url: URL): number {
  if (port !== undefined && port !== portOf(url)) return 0;
  const fits = isBelow ? url.hostname.endsWith(`.${name}`) : url.hostname === name;
  if (!fits) return 0;
  return (isBelow ? name.length : exact) + (port === undefined ? 0 : 0.5);
}
