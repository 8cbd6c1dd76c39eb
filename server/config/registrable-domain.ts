/** Whether anybody can have a name below a domain, as far as its form says: `com`, `co.uk`. */
export function isPublicSuffix(domain: string): boolean {
  return /^(?:[^.]+|(?:ac|co|com|edu|gov|net|org)\.[a-z]{2})$/.test(domain);
}

/** The site of a host, which SameSite goes by: `shop.example` of `www.shop.example`. */
export function toSite(host: string): string {
  if (/^[\d.]+$|:/.test(host)) return host;
  const labels = host.split(".");
  const suffix = labels.slice(-2).join(".");
  return labels.length > 2 && isPublicSuffix(suffix) ? labels.slice(-3).join(".") : suffix;
}

/** Whether a host name is this machine's own. */
export function isLocalHost(host: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[?::1\]?|0\.0\.0\.0)$/.test(host);
}
