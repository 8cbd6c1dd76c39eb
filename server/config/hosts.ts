/** The hosts of a shop: one, a list, or none. */
export function toHosts(host: string | readonly string[] | undefined): readonly string[] {
  return [host ?? []].flat();
}

/** The name of a host as cookies and sites use it: without a port, and without `*.` in front. */
export function toHostName(host: string): string {
  return host.replace(/:\d+$/, "").replace(/^\*\./, "");
}

/** Whether a host is this machine. */
export function isLocalHost(host: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[?::1\]?|0\.0\.0\.0)$/.test(host);
}

/** A guess without a list: `com` and `co.uk` are public suffixes. It misses `github.io`. */
export const guessedDomainRules = {
  /** Whether anyone can register a name below a domain, for example `co.uk`. */
  isPublicSuffix: looksPublic,
  /** The site of a host, which `SameSite` compares: `shop.example` for `www.shop.example`. */
  toSite(host: string): string {
    if (isAddress(host)) return host;
    const labels = host.split(".");
    const suffix = labels.slice(-2).join(".");
    return labels.length > 2 && looksPublic(suffix) ? labels.slice(-3).join(".") : suffix;
  },
};

/** The public suffix list (https://publicsuffix.org), as browsers use it. It takes about 50 ms to load. */
export async function loadDomainRules(): Promise<typeof guessedDomainRules> {
  const { getDomain, getPublicSuffix } = await import("tldts");
  // The private part of the list has the domains of hosting companies, for example `vercel.app`.
  const options = { allowPrivateDomains: true };
  return {
    isPublicSuffix: (domain) => getPublicSuffix(domain, options) === domain,
    toSite: (host) => (isAddress(host) ? host : (getDomain(host, options) ?? host)),
  };
}

// --- Internal helpers ---

function looksPublic(domain: string): boolean {
  return /^(?:[^.]+|(?:ac|co|com|edu|gov|net|org)\.[a-z]{2})$/.test(domain);
}

function isAddress(host: string): boolean {
  return /^[\d.]+$|:/.test(host);
}
