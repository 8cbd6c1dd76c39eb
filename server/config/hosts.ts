/** The hosts of a shop: one, a list, or none. */
export function toHosts(host: string | readonly string[] | undefined): readonly string[] {
  return [host ?? []].flat();
}

/** The name of a host as cookies and sites use it: without a port, and without `*.` in front. */
export function toHostName(host: string): string {
  return host.replace(/:\d+$/, "").replace(/^\*\./, "");
}
