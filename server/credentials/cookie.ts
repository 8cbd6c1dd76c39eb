import { parseCookie, serializeCookie, type CookieSerializeOptions } from "cookie-es";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { SessionOptions } from "../config/options.ts";
import { Signer } from "./signature.ts";
import type { HeaderEntry, VerifiedId, SessionTransport } from "./transport.ts";
import { VerifiedIdCache } from "./verified-id-cache.ts";

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
  readonly #verified = new VerifiedIdCache();

  constructor(options: SessionOptions) {
    this.#options = options;
    const { cookieName, partitioned, sameSite } = options;
    const isPrefixed = /^__(?:Host|Secure)-/i.test(cookieName);
    // Browsers drop these without it; over plain HTTP they still take it from localhost.
    this.#needsSecure = sameSite === "none" || partitioned || isPrefixed;
    this.#signer = new Signer(options.secrets);
  }

  read(headers: Headers): string | undefined {
    const cookies = headers.get("cookie");
    return cookies?.includes(this.#options.cookieName) ? cookies : undefined;
  }

  verify(carried: string): readonly VerifiedId[] {
    return this.#verified.find(carried, (cookies) => this.#verifyAll(cookies));
  }

  issue(record: SessionRecord, isSecure: boolean): HeaderEntry {
    const value = `s:${record.id}.${this.#signer.sign(record.id)}`;
    const maxAge = record.transient ? undefined : this.#maxAge(record);
    return ["set-cookie", this.#serialize(value, isSecure, maxAge)];
  }

  /** Several cookies of our name come from other settings: this deletes each of them. */
  clear(isSecure: boolean, carried: string): readonly HeaderEntry[] {
    const isOne = this.#valuesIn(carried).length < 2;
    const shapes = isOne ? [this.#options] : this.#shapes();
    return shapes.map((shape) => ["set-cookie", this.#serialize("", isSecure, 0, shape)]);
  }

  /** Browsers send older cookies first (RFC 6265, 5.4), so the last ones count. */
  #verifyAll(header: string): readonly VerifiedId[] {
    const ids = [...new Set(this.#valuesIn(header))]
      .map((value) => this.#verifyValue(value))
      .filter((id) => id !== undefined);
    return [...new Map(ids.map((id) => [id.id, id])).values()].slice(-maxIds);
  }

  /** There can be several cookies of our name: of old paths and domains, for example. */
  #valuesIn(header: string): readonly string[] {
    const { cookieName } = this.#options;
    const cookies = parseCookie(header, {
      allowMultiple: true,
      filter: (name) => name === cookieName,
    });
    return [cookies[cookieName] ?? []].flat();
  }

  /** The forms in which a cookie of our name can be set: for this host or for a domain, partitioned or not. */
  #shapes(): readonly CookieShape[] {
    const domains = [undefined, this.#options.domain].filter(
      (domain, n) => n === 0 || domain !== undefined,
    );
    return domains.flatMap((domain) => [
      { domain, partitioned: false },
      { domain, partitioned: true },
    ]);
  }

  #verifyValue(value: string): VerifiedId | undefined {
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

  #serialize(
    value: string,
    isSecure: boolean,
    maxAge: number | undefined,
    { domain, partitioned }: CookieShape = this.#options,
  ): string {
    const { cookieName, sameSite, secure } = this.#options;
    const isSecured = secure === "auto" ? isSecure || this.#needsSecure : secure;
    const attributes: CookieSerializeOptions = {
      path: "/",
      httpOnly: true,
      sameSite,
      // Browsers ignore a partitioned cookie without it.
      secure: isSecured || partitioned,
      ...(maxAge !== undefined && { maxAge }),
      ...(domain !== undefined && { domain }),
      ...(partitioned && { partitioned }),
    };
    return serializeCookie(cookieName, value, attributes);
  }
}

// --- Internal helpers ---

/** The attributes that distinguish cookies of one name. */
type CookieShape = Pick<SessionOptions, "domain" | "partitioned">;

/** The most IDs of one request that are looked up. */
const maxIds = 8;

/** A user id may hold any character, dots too; the signature is the last 43. */
const cookieValue = /^s:(.+)\.([A-Za-z0-9+/]{43})$/s;
