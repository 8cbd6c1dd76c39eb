import { parseSetCookie } from "cookie-es";
import type { Shop } from "../config/options.ts";
import { decodeCookie } from "../credentials/cookie.ts";
import type { SessionTransport } from "../credentials/transport.ts";
import { mask } from "./masks.ts";

/**
 * One visitor of the development page. Their cookies and tokens never leave this process. All cookies are of one host,
 * so two cookies of one name replace each other, whatever their `Domain` is.
 */
export class Visitor {
  readonly #cookies = new Map<string, StoredCookie>();
  /** The tokens by shop and transport. A reload of the config replaces the objects of both. */
  readonly #tokens = new Map<string, string>();

  /** The headers with the credentials of a call. @param path of the call's URL */
  headersFor({ shopId }: Shop, transport: SessionTransport, path: string): Headers {
    const headers = new Headers();
    if (!transport.isAmbient) {
      transport.sendBack(headers, this.#tokens.get(`${shopId} ${transport.name}`) ?? "");
      return headers;
    }
    const cookies = this.#living().filter(({ parsed }) => isWithin(path, parsed.path ?? "/"));
    const pairs = cookies.map(({ parsed }) => `${parsed.name}=${parsed.value}`);
    if (pairs.length > 0) headers.set("cookie", pairs.join("; "));
    return headers;
  }

  /** Stores the credentials of a response, or removes those that it clears. */
  receive({ headers }: Response, { shopId }: Shop, transport: SessionTransport): void {
    if (!transport.isAmbient) {
      const token = headers.get(transport.credentialHeaders.response);
      const key = `${shopId} ${transport.name}`;
      if (token === "") this.#tokens.delete(key);
      else if (token !== null) this.#tokens.set(key, token);
      return;
    }
    for (const line of headers.getSetCookie()) {
      const parsed = parseSetCookie(line, { decode: false });
      if (parsed === undefined) continue;
      const stored = { line, parsed, expiresAt: expiryOf(parsed) };
      if (isOver(stored)) this.#cookies.delete(parsed.name);
      else this.#cookies.set(parsed.name, stored);
    }
  }

  /** Becomes a new visitor, as in a private window. The sessions stay active. */
  forget(): void {
    this.#cookies.clear();
    this.#tokens.clear();
  }

  /** The cookies as the page shows them: their values are masked. */
  get cookies(): readonly {
    readonly name: string;
    readonly value: string;
    /** For example `Path=/; HttpOnly; SameSite=Lax`. */
    readonly attributes: string;
    /** Epoch milliseconds; absent: it ends with the browser. */
    readonly expiresAt?: number;
  }[] {
    return this.#living().map(({ line, parsed, expiresAt }) => {
      const [, ...attributes] = line.split(/; */);
      const shown = {
        name: parsed.name,
        value: mask(parsed.value),
        attributes: attributes.join("; "),
      };
      return expiresAt === undefined ? shown : { ...shown, expiresAt };
    });
  }

  /** All values that must not reach the browser, also in a body. */
  get secrets(): readonly string[] {
    const values = [...this.#cookies.values()].map(({ parsed }) => parsed.value);
    return [...values, ...values.map(decodeCookie), ...this.#tokens.values()];
  }

  #living(): readonly StoredCookie[] {
    return [...this.#cookies.values()].filter((cookie) => !isOver(cookie));
  }
}

// --- Internal helpers ---

interface StoredCookie {
  readonly line: string;
  readonly parsed: NonNullable<ReturnType<typeof parseSetCookie>>;
  readonly expiresAt: number | undefined;
}

/** `Max-Age` wins over `Expires` (RFC 6265, 5.3). */
function expiryOf({ maxAge, expires }: StoredCookie["parsed"]): number | undefined {
  return maxAge === undefined ? expires?.getTime() : Date.now() + maxAge * 1000;
}

function isOver({ expiresAt = Infinity }: StoredCookie): boolean {
  return expiresAt <= Date.now();
}

/** RFC 6265, 5.1.4. */
function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
