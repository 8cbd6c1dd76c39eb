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

  /** How closely the host of a URL is meant: 0 for not at all, most for an exact host with a port. */
  rank(url: URL): number {
    return this.#hosts.reduce((best, pattern) => Math.max(best, rankOf(pattern, url)), 0);
  }
}

/** The hosts in a config, one or more. */
export function toHosts(host: string | readonly string[] | undefined): readonly string[] {
  return [host ?? []].flat();
}

/** The name in a host of a config, as cookies and sites know it: without a port, and without `*.` in front. */
export function toHostName(host: string): string {
  return host.replace(/:\d+$/, "").replace(/^\*\./, "");
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
  /** Whether the hosts below the name are meant. */
  readonly isBelow: boolean;
}

/** More than a name can have characters. */
const exact = 1000;

function toPattern(host: string): HostPattern {
  return {
    name: toHostName(host),
    port: /:(\d+)$/.exec(host)?.[1],
    isBelow: host.startsWith("*."),
  };
}

/** Of two patterns the longer one is meant more closely. */
function rankOf({ name, port, isBelow }: HostPattern, url: URL): number {
  if (port !== undefined && port !== portOf(url)) return 0;
  const fits = isBelow ? url.hostname.endsWith(`.${name}`) : url.hostname === name;
  if (!fits) return 0;
  return (isBelow ? name.length : exact) + (port === undefined ? 0 : 0.5);
}
