/** Answers about domains, which the rules need. */
export interface DomainRules {
  /** Whether anyone can register a name below a domain, for example `co.uk`. */
  isPublicSuffix(domain: string): boolean;
  /** The site of a host, which `SameSite` compares: `shop.example` for `www.shop.example`. */
  toSite(host: string): string;
}

/** A guess without a list: `com` and `co.uk` are public suffixes. It misses `github.io`. */
export const guessedDomainRules: DomainRules = {
  isPublicSuffix: looksPublic,
  toSite(host) {
    if (isAddress(host)) return host;
    const labels = host.split(".");
    const suffix = labels.slice(-2).join(".");
    return labels.length > 2 && looksPublic(suffix) ? labels.slice(-3).join(".") : suffix;
  },
};

/** The public suffix list (https://publicsuffix.org), as browsers use it. It takes about 50 ms to load. */
export async function loadDomainRules(): Promise<DomainRules> {
  const { getDomain, getPublicSuffix } = await import("tldts");
  // The private part of the list has the domains of hosting companies, for example `vercel.app`.
  const options = { allowPrivateDomains: true };
  return {
    isPublicSuffix: (domain) => getPublicSuffix(domain, options) === domain,
    toSite: (host) => (isAddress(host) ? host : (getDomain(host, options) ?? host)),
  };
}

/** Whether a host is this machine. */
export function isLocalHost(host: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[?::1\]?|0\.0\.0\.0)$/.test(host);
}

// --- Internal helpers ---

function looksPublic(domain: string): boolean {
  return /^(?:[^.]+|(?:ac|co|com|edu|gov|net|org)\.[a-z]{2})$/.test(domain);
}

function isAddress(host: string): boolean {
  return /^[\d.]+$|:/.test(host);
}
