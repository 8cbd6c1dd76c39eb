/** The characters of a credential that the page shows, so that you see when it changes. */
const shownLength = 6;

/** The beginning of a credential, or half of a short one: the browser never gets a whole value. */
export function mask(value: string): string {
  if (value === "") return "";
  return `${value.slice(0, Math.min(shownLength, value.length >> 1))}…`;
}

/** Masks the value of a `Set-Cookie` header, and keeps its attributes. */
export function maskCookie(line: string): string {
  return line.replace(/^([^=;]*=)([^;]*)/, (_, name: string, value: string) => name + mask(value));
}

/** Masks a header that can have credentials. @param name in lower case */
export function maskHeader(name: string, value: string): string {
  if (name === "set-cookie") return maskCookie(value);
  if (name === "cookie") return value.split("; ").map(maskCookie).join("; ");
  const [scheme = ""] = /^\S+ /.exec(value) ?? [];
  return scheme + mask(value.slice(scheme.length));
}
