import { parseSetCookie } from "cookie-es";

/** A response with its parsed body. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  /**
   * The parsed JSON: the result of the method, or the error response. The text, if it isn't JSON. `undefined` without a
   * body.
   */
  readonly body: Body;
  /** The raw `Set-Cookie` headers. */
  readonly setCookies: readonly string[];
}

/** Sends a request to a server under test. */
export type Send = (path: string, init: RequestInit) => Promise<Response>;

/**
 * A client that stores cookies and sends them back, like a browser, whatever their age. It trusts the server that
 * each body is a `Body`.
 */
export class CookieClient<Body = unknown> {
  readonly cookies = new Map<string, string>();
  readonly shopId: number;
  readonly #send: Send;

  constructor(send: Send, shopId = 1001) {
    this.#send = send;
    this.shopId = shopId;
  }

  /** Calls a method. */
  async call(
    method: string,
    payload?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Body>> {
    return this.request(`/api/rpc/${method}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-shop-id": String(this.shopId),
        ...headers,
      },
      body: JSON.stringify({ payload }),
    });
  }

  /** Sends any request with the stored cookies; a `cookie` header replaces them. */
  async request(path: string, init: RequestInit = {}): Promise<Answer<Body>> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0 && !headers.has("cookie")) headers.set("cookie", this.cookieHeader);
    const response = await this.#send(path, { ...init, headers });
    const text = await response.text();
    const setCookies = response.headers.getSetCookie();
    for (const line of setCookies) this.#keep(line);
    const body = parseBody(text, response.headers);
    return { status: response.status, headers: response.headers, body, setCookies };
  }

  /** A copy with the same cookies, for example a second tab or a thief. */
  clone(shopId = this.shopId): CookieClient<Body> {
    const twin = new CookieClient<Body>(this.#send, shopId);
    for (const [name, value] of this.cookies) twin.cookies.set(name, value);
    return twin;
  }

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** The session ID in this shop's cookie of the default name, without its signature. */
  get sessionId(): string | undefined {
    const value = this.cookies.get(`$session-${this.shopId}`);
    return value === undefined ? undefined : decodeURIComponent(value).slice(2, -44);
  }

  #keep(line: string): void {
    const cookie = parseSetCookie(line, { decode: (value) => value });
    if (cookie === undefined) return;
    if (cookie.maxAge === 0) this.cookies.delete(cookie.name);
    else this.cookies.set(cookie.name, cookie.value ?? "");
  }
}

// --- Internal helpers ---

function parseBody(text: string, headers: Headers) {
  if (text === "") return undefined;
  return /json/.test(headers.get("content-type") ?? "") ? JSON.parse(text) : text;
}
