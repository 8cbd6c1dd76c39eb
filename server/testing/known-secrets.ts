import { AssertionError } from "node:assert";
import { inspect } from "node:util";
import { parseSetCookie } from "cookie-es";
import type { RpcMethod } from "../../rpc/method.ts";
import { findNamedSecrets, maskSecrets } from "../../rpc/redaction/secret.ts";
import { cookieValue, decodeCookie } from "../credentials/cookie.ts";

/** The secrets that the visitors of a test have sent and received, with a description of each. */
export class KnownSecrets {
  readonly #descriptions = new Map<string, string>();

  /** Adds the secrets in the payload of a call. */
  addRequest(name: string, method: RpcMethod | undefined, payload: unknown): void {
    const { secrets } = maskSecrets(method?.input, payload);
    for (const secret of [...secrets, ...findNamedSecrets(payload)]) {
      this.add(secret, `a secret in the payload of ${name}`);
    }
  }

  /** Adds the cookies of a response. */
  addCookies(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const { name, value = "" } = parseSetCookie(line, { decode: (text) => text }) ?? {};
      const decoded = decodeCookie(value);
      const [, id = "", signature = ""] = cookieValue.exec(decoded) ?? [];
      this.add(value, `the cookie ${name}`);
      this.add(decoded, `the cookie ${name}`);
      this.add(signature, `the signature of the cookie ${name}`);
      this.add(id.slice(-36), `the session ID in the cookie ${name}`);
    }
  }

  /** Adds a text or a number, or those in an object. */
  add(secret: unknown, description: string): void {
    if (typeof secret === "object" && secret !== null) {
      for (const part of Object.values(secret)) this.add(part, description);
      return;
    }
    const text = typeof secret === "number" ? String(secret) : secret;
    // Shorter ones occur in ordinary words.
    if (typeof text !== "string" || text.length < shortest) return;
    for (const form of [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]) {
      if (!this.#descriptions.has(form)) this.#descriptions.set(form, description);
    }
  }

  /** @throws AssertionError that describes the first secret in a value, and shows the text around it */
  expectNoneIn(value: unknown): void {
    for (const text of toTexts(value)) {
      for (const [secret, description] of this.#descriptions) {
        const at = text.indexOf(secret);
        if (at === -1) continue;
        const before = text.slice(Math.max(0, at - 80), at);
        const after = text.slice(at + secret.length, at + secret.length + 80);
        const found = this.#mask(`${before}[here]${after}`);
        throw new AssertionError({ message: `Found ${description}: …${found}…` });
      }
    }
  }

  /** The text without other secrets. */
  #mask(text: string): string {
    return [...this.#descriptions.keys()].reduce(
      (masked, secret) => masked.replaceAll(secret, "[secret]"),
      text,
    );
  }
}

// --- Internal helpers ---

const shortest = 4;

/** Errors and maps have no JSON, and `inspect` writes quotation marks in another way. */
function toTexts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  const all = {
    depth: Infinity,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Infinity,
  };
  try {
    return [inspect(value, all), JSON.stringify(value) ?? ""];
  } catch {
    return [inspect(value, all)];
  }
}
