import { parseCookie } from "cookie-es";
import { Redactor } from "../../rpc/redaction/redactor.ts";
import type { StorefrontOptions } from "../config/options.ts";

/**
 * Finds the credentials of this server in a request, to redact them. Other cookies and tokens aren't redacted:
 * otherwise a caller could remove any word from its log lines by sending the word as a cookie.
 */
export class Credentials {
  readonly #cookieNames: ReadonlySet<string>;
  readonly #adminTokens: readonly string[];

  constructor({ shops, adminTokens }: Pick<StorefrontOptions, "shops" | "adminTokens">) {
    this.#cookieNames = new Set(shops.map(({ session }) => session.cookieName));
    this.#adminTokens = adminTokens;
  }

  /** A redactor that reads the credentials when it first redacts a text. */
  redactorFor(headers: Headers): Redactor {
    const redactor = new Redactor();
    redactor.addSource(() => this.#find(headers));
    return redactor;
  }

  *#find(headers: Headers): Iterable<string> {
    const token = /^bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
    if (token !== undefined && (bearerToken.test(token) || this.#adminTokens.includes(token))) {
      yield token;
    }
    const cookies = parseCookie(headers.get("cookie") ?? "", {
      allowMultiple: true,
      filter: (name) => this.#cookieNames.has(name),
      decode: (value) => value,
    });
    for (const raw of Object.values(cookies).flat()) {
      const decoded = decode(raw);
      if (raw !== undefined && cookieValue.test(decoded)) yield* [raw, decoded];
    }
  }
}

// --- Internal helpers ---

/** The form of a credential, whether its signature is valid or not. */
const bearerToken = /^[\w-]+\.[\w-]{43}$/;
const cookieValue = /^s:.+\.[\w+/]{43}$/s;

function decode(text = ""): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
