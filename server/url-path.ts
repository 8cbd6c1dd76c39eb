/** The path of a URL, or of a request's target, which has no fragment to end it (RFC 9112, 3.2). */
export function pathOf(url: string): string {
  return url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i, "").replace(/\?.*$/s, "");
}

/** Whether a path can be decoded. */
export function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
