import { parseCookie, serializeCookie, type CookieSerializeOptions } from "cookie-es";
import type { SessionOptions } from "./options.ts";
import { Signer } from "./signature.ts";

/** A session id that came with a valid signature. */
export interface PresentedId {
  readonly id: string;
  /** Signed by a secret that is being rotated out. */
  readonly isOld: boolean;
}

/** How a session is kept by the browser. */
export interface CookieLife {
  /** Whether the call came by HTTPS. */
  readonly isSecure: boolean;
  /** Seconds; absent: the cookie ends with the browser. */
  readonly maxAge: number | undefined;
}

/**
 * The session cookie of one shop: `s:<id>.<signature>`, as express and @scayle/h3-session write it.
 *
 * Always HttpOnly, for no script has business with it.
 */
export class SessionCookie {
  readonly #options: SessionOptions;
  readonly #signer: Signer;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#signer = new Signer(options.secrets);
  }

  /** The ids in a `Cookie` header. There can be several: of old paths and domains, say. */
  async read(header: string | null): Promise<readonly PresentedId[]> {
    const { cookieName } = this.#options;
    if (header === null || !header.includes(cookieName)) return [];
    const cookies = parseCookie(header, {
      allowMultiple: true,
      filter: (name) => name === cookieName,
    });
    const values = [cookies[cookieName] ?? []].flat();
    const ids = await Promise.all([...new Set(values)].map((value) => this.#verify(value)));
    return ids.filter((id) => id !== undefined);
  }

  /** The `Set-Cookie` header that gives a browser this session. */
  async serialize(id: string, { isSecure, maxAge }: CookieLife): Promise<string> {
    const value = `s:${id}.${await this.#signer.sign(id)}`;
    return serializeCookie(this.#options.cookieName, value, {
      ...this.#attributes(isSecure),
      ...(maxAge !== undefined && { maxAge }),
    });
  }

  /** The `Set-Cookie` header that takes it away again. */
  clear(isSecure: boolean): string {
    return serializeCookie(this.#options.cookieName, "", {
      ...this.#attributes(isSecure),
      maxAge: 0,
    });
  }

  async #verify(value: string): Promise<PresentedId | undefined> {
    const parts = cookieValue.exec(value);
    if (parts === null) return undefined;
    const [, id = "", signature = ""] = parts;
    const verdict = await this.#signer.verify(id, signature);
    return verdict === "invalid" ? undefined : { id, isOld: verdict === "old" };
  }

  #attributes(isSecure: boolean): CookieSerializeOptions {
    const { domain, partitioned, sameSite, secure } = this.#options;
    return {
      path: "/",
      httpOnly: true,
      sameSite,
      secure: secure === "auto" ? isSecure : secure,
      ...(domain !== undefined && { domain }),
      ...(partitioned && { partitioned }),
    };
  }
}

// --- Internal helpers ---

/** A user id may hold any character, dots too; the signature is the last 43. */
const cookieValue = /^s:(.+)\.([A-Za-z0-9+/]{43})$/s;
