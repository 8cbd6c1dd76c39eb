import type { CallSession } from "../rpc/session/call-session.ts";
import type { Credentials } from "./credentials/credentials.ts";
import type { HeaderEntry } from "./credentials/transport.ts";

/**
 * Keeps the credentials of a visitor whose calls this server sends itself: those of a batch or a page. Each call has the
 * credentials that the calls before it issued, as if a browser had sent the calls one after another.
 */
export class CredentialJar {
  readonly #credentials: Credentials;
  readonly #headers: Headers;
  /** The latest header of each credential. */
  readonly #issued = new Map<string, HeaderEntry>();

  /** @param headers those of the request of the batch or the page */
  constructor(credentials: Credentials, headers: Headers) {
    this.#credentials = credentials;
    this.#headers = new Headers(headers);
    // Each call has a key of its own.
    this.#headers.delete("idempotency-key");
  }

  /** The response headers that give the client its credentials: the latest of each. */
  get issued(): readonly HeaderEntry[] {
    return [...this.#issued.values()];
  }

  /** The headers of the next call. A method can keep them, so each call has a copy. */
  headersFor(key: string | undefined): Headers {
    const headers = new Headers(this.#headers);
    if (key !== undefined) headers.set("idempotency-key", key);
    return headers;
  }

  /**
   * Takes the credentials from the response to a call.
   * @returns whether there are any, and the cookies that methods have set
   */
  follow({ headers }: Response, session: CallSession | undefined) {
    const issued = [...headers].filter((header) => this.#credentials.isIssued(...header));
    // The server just renewed the ID. The old one leads to the same session until the client sends the new one. So only
    // the client may send it: a client that never got this response would otherwise lose its session.
    const isRenewed = session?.current?.record.firstUsedAt === 0;
    for (const [name, value] of issued) {
      this.#issued.set(identify(name, value), [name, value]);
      if (!isRenewed) this.#credentials.sendBack(this.#headers, name, value);
    }
    const cookies = headers.getSetCookie();
    const ownCookies = cookies.filter((line) => !this.#credentials.isIssued("set-cookie", line));
    return { hasCredentials: issued.length > 0, ownCookies };
  }
}

// --- Internal helpers ---

/** Cookies of one name are different cookies if their domain or partition differs (RFC 6265, 5.3). */
function identify(name: string, value: string): string {
  if (name !== "set-cookie") return name;
  const [cookie = "", ...attributes] = value.split(/; */);
  const shape = attributes.filter((attribute) => /^(?:domain=|partitioned$)/i.test(attribute));
  return [cookie.slice(0, cookie.indexOf("=")), ...shape.toSorted()].join(";");
}
