/** A request of the client under test: its body is text. */
export interface SentInit extends RequestInit {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** The `fetch` of a client under test, which gets a `Request`; or a URL and an init if the base URL is relative. */
export function toFetch(
  send: (url: string, init: SentInit) => Response | Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (given: Request | string, init?: RequestInit) => {
    if (typeof given === "string") return send(given, init as SentInit);
    const { url, method, credentials, signal } = given;
    const headers = Object.fromEntries(given.headers);
    return send(url, { method, credentials, headers, body: await given.text(), signal });
  };
}
