import { parseCookie, serializeCookie, type CookieSerializeOptions } from "cookie-es";
import type { SessionRecord } from "../storage/session-record.ts";
import type { SessionOptions } from "./options.ts";
import { Signer } from "./signature.ts";
import type { Header, PresentedId, SessionTransport } from "./transport.ts";
import { VerifiedIds } from "./verified-ids.ts";

/**
 * The session cookie of one shop: `s:<id>.<signature>`, as express and @scayle/h3-session write it.
 *
 * Always HttpOnly, for no script has business with it.
 */
export class CookieTransport implements SessionTransport {
  readonly name = "cookie";
  readonly tellsExtension = true;
  readonly #options: SessionOptions;
  readonly #needsSecure: boolean;
  readonly #signer: Signer;
  readonly #verified = new VerifiedIds();

  constructor(options: SessionOptions) {
    this.#options = options;
    const { cookieName, partitioned, sameSite } = options;
    const isPrefixed = /^__(?:Host|Secure)-/i.test(cookieName);
    // Browsers drop these without it; over plain HTTP they still take it from localhost.
    this.#needsSecure = sameSite === "none" || partitioned || isPrefixed;
    this.#signer = new Signer(options.secrets);
  }

  find(headers: Headers): string | undefined {
    const cookies = headers.get("cookie");
    return cookies?.includes(this.#options.cookieName) ? cookies : undefined;
  }

  verify(carried: string): readonly PresentedId[] {
    return this.#verified.find(carried, (cookies) => this.#verifyAll(cookies));
  }

  give(record: SessionRecord, isSecure: boolean): Header {
    const value = `s:${record.id}.${this.#signer.sign(record.id)}`;
    const maxAge = record.transient ? undefined : this.#maxAge(record);
    return ["set-cookie", this.#serialize(value, isSecure, maxAge)];
  }

  take(isSecure: boolean): Header {
    return ["set-cookie", this.#serialize("", isSecure, 0)];
  }

  /** There can be several of our name: of old paths and domains, say. */
  #verifyAll(header: string): readonly PresentedId[] {
    const { cookieName } = this.#options;
    const cookies = parseCookie(header, {
      allowMultiple: true,
      filter: (name) => name === cookieName,
    });
    const values = [cookies[cookieName] ?? []].flat();
    const ids = [...new Set(values)].map((value) => this.#verifyValue(value));
    return ids.filter((id) => id !== undefined);
  }

  #verifyValue(value: string): PresentedId | undefined {
    const parts = cookieValue.exec(value);
    if (parts === null) return undefined;
    const [, id = "", signature = ""] = parts;
    const verdict = this.#signer.verify(id, signature);
    return verdict === "invalid" ? undefined : { id, isOld: verdict === "old" };
  }

  /** Seconds; a cookie does not outlive its session. */
  #maxAge({ createdAt, user }: SessionRecord): number {
    const { absoluteTimeout, guestAbsoluteTimeout = Infinity, maxAge } = this.#options;
    const longest = user === undefined ? guestAbsoluteTimeout : absoluteTimeout;
    return Math.min(maxAge, Math.ceil(longest - (Date.now() - createdAt) / 1000));
  }

  #serialize(value: string, isSecure: boolean, maxAge: number | undefined): string {
    const { cookieName, domain, partitioned, sameSite, secure } = this.#options;
    const attributes: CookieSerializeOptions = {
      path: "/",
      httpOnly: true,
      sameSite,
      secure: secure === "auto" ? isSecure || this.#needsSecure : secure,
      ...(maxAge !== undefined && { maxAge }),
      ...(domain !== undefined && { domain }),
      ...(partitioned && { partitioned }),
    };
    return serializeCookie(cookieName, value, attributes);
  }
}

// --- Internal helpers ---

/** A user id may hold any character, dots too; the signature is the last 43. */
const cookieValue = /^s:(.+)\.([A-Za-z0-9+/]{43})$/s;
