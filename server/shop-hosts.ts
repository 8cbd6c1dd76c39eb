import { toHostName, toHosts } from "./config/hosts.ts";

/**
 * The hosts that a shop is served at. A host without a port means any port; `*.shop.example` means every host below
 * `shop.example`, and not that host itself.
 */
export class ShopHosts {
  readonly #ranks: readonly Rank[];

  constructor(host: string | readonly string[] | undefined) {
    this.#ranks = toHosts(host).map(createRank);
  }

  /** Whether the shop has hosts of its own. */
  get exist(): boolean {
    return this.#ranks.length > 0;
  }

  /** How closely the shop's hosts match a URL: 0 is no match, the highest is an exact host with a port. */
  rank(url: URL): number {
    // A dot at the end is the root of DNS (RFC 1034, 3.1): the name is the same.
    const name = url.hostname.replace(/\.$/, "");
    return this.#ranks.reduce((best, rankOf) => Math.max(best, rankOf(url, name)), 0);
  }
}

/** The port of a URL, also if it is the default of its scheme. */
export function portOf({ port, protocol }: URL): string {
  if (port !== "") return port;
  return protocol === "https:" ? "443" : "80";
}

// --- Internal helpers ---

/** Above the length of any host name. */
const exact = 1000;

/** @param name the host of the URL, without a dot at its end */
type Rank = (url: URL, name: string) => number;

/** The longer one of two patterns is the closer match. */
function createRank(host: string): Rank {
  const name = toHostName(host);
  const port = /:(\d+)$/.exec(host)?.[1];
  const isPattern = host.startsWith("*.");
  const rank = (isPattern ? name.length : exact) + (port === undefined ? 0 : 0.5);
  return (url, found) => {
    if (port !== undefined && port !== portOf(url)) return 0;
    const fits = isPattern ? found.endsWith(`.${name}`) : found === name;
    return fits ? rank : 0;
  };
}
