import { listen } from "../_https.ts";

/**
 * Starts a proxy that terminates TLS, in front of a server, until the test ends. Start it before the browser, so that the
 * browser ends first: the proxy waits for its connections.
 * @returns its origin
 */
export function startFrontProxy(
  upstream: string,
  {
    scheme = "https",
    onRequest = () => {},
  }: { readonly scheme?: string; readonly onRequest?: (path: string) => void } = {},
): Promise<string> {
  return listen(`${scheme}://shop.test`, (request) => {
    onRequest(new URL(request.url).pathname);
    return forward(request, upstream);
  });
}

// --- Internal helpers ---

/** Sends a request on, from the address of a visitor. */
async function forward(request: Request, upstream: string): Promise<Response> {
  const { protocol, host, pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.delete("host");
  headers.set("x-forwarded-for", "203.0.113.9");
  headers.set("x-forwarded-proto", protocol.slice(0, -1));
  headers.set("x-forwarded-host", host);
  // The server could close an idle connection in the moment of the next request.
  headers.set("connection", "close");
  const { method } = request;
  const body = method === "GET" || method === "HEAD" ? null : await request.text();
  const init: RequestInit = { method, headers, body, redirect: "manual" };
  const response = await fetch(`${upstream}${pathname}${search}`, init);
  const ofConnection = /^(?:connection|keep-alive|transfer-encoding|content-(?:length|encoding))$/;
  const kept = [...response.headers].filter(([field]) => !ofConnection.test(field));
  return new Response(response.body, { status: response.status, headers: kept });
}
