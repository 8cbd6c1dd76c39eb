import { mapLog, type Logger } from "../../shared/log.ts";
import { isSecretName, redacted } from "./secret.ts";

/**
 * Replaces the secrets of one call in its log lines, its error response, and the events of its hooks. It collects them
 * at the first line, error, or event. Secrets of fewer than 4 characters stay, because they occur in ordinary words.
 */
export class Redactor {
  #sources: (() => Iterable<unknown>)[] = [];
  #secrets = noSecrets;
  /** Finds all secrets in one pass; created at the first search. */
  #matcher: RegExp | undefined;

  /** @param find the first source, as in {@link addSource} */
  constructor(find?: () => Iterable<unknown>) {
    if (find !== undefined) this.addSource(find);
  }

  /**
   * Adds a source of secrets.
   * @param find returns secrets: strings, numbers, and objects and arrays whose every value is one. It runs before the
   * next redaction.
   */
  addSource(find: () => Iterable<unknown>): void {
    this.#sources.push(find);
  }

  /**
   * Copies a value, with `[redacted]` instead of secrets and of the values of keys such as `password`. It copies
   * strings, objects, arrays, maps, sets, and errors, down to the sixth level. It runs no getter.
   */
  redact<T>(value: T): T {
    this.#find();
    return this.#copy(value, 0, true, new Map()) as T;
  }

  /**
   * Like {@link redact}, for JSON that the method sends to the caller: a key such as `token` hides nothing, and
   * there is no limit of depth.
   */
  redactJson(value: unknown): unknown {
    this.#find();
    return this.#copy(value, 0, false, new Map());
  }

  /** Returns a logger that redacts each line. */
  guard(log: Logger): Logger {
    return mapLog(log, (message, details) => [this.redact(message), this.redact(details)]);
  }

  #find(): void {
    const sources = this.#sources;
    if (sources.length === 0) return;
    this.#sources = [];
    const found = sources.flatMap((find) => takeTexts([...find()])).flatMap(toSpellings);
    const secrets = found.filter(({ length }) => length >= minLength).flatMap(toPieces);
    this.#secrets = new Set([...this.#secrets, ...secrets]);
    this.#matcher = undefined;
  }

  /** The longest secret wins, and no replacement is searched again. */
  #redactText(text: string): string {
    if (this.#secrets.size === 0) return text;
    this.#matcher ??= toMatcher(this.#secrets);
    return text.replace(this.#matcher, redacted);
  }

  /**
   * A value that cannot be read, such as a revoked proxy, does not hide the rest.
   * @param goesByName hides the values of secret keys, and ends at the sixth level
   * @param known the copies so far, so that circles end
   */
  #copy(value: unknown, depth: number, goesByName: boolean, known: Map<object, unknown>): unknown {
    try {
      return this.#copyReadable(value, depth, goesByName, known);
    } catch {
      return unreadable;
    }
  }

  #copyReadable(
    value: unknown,
    depth: number,
    goesByName: boolean,
    known: Map<object, unknown>,
  ): unknown {
    if (typeof value === "string") return this.#redactText(value);
    if (typeof value === "number" || typeof value === "bigint") {
      return this.#secrets.has(String(value)) ? redacted : value;
    }
    if (typeof value !== "object" || value === null || value instanceof Date) return value;
    if (known.has(value)) return known.get(value);
    if (goesByName && depth === maxDepth) return tooDeep;
    const inner = (part: unknown) => this.#copy(part, depth + 1, goesByName, known);
    if (value instanceof URL) return inner(value.href);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value)) {
      const copies: unknown[] = [];
      known.set(value, copies);
      for (const item of value) copies.push(inner(item));
      return copies;
    }
    if (value instanceof Set) return new Set([...value].map(inner));
    const copyEntry = (key: unknown, part: unknown): [unknown, unknown] => {
      return [inner(key), goesByName && isSecretName(key) ? redacted : inner(part)];
    };
    if (value instanceof Map || value instanceof Headers) {
      const copies = new Map<unknown, unknown>();
      known.set(value, copies);
      for (const [key, part] of value) copies.set(...copyEntry(key, part));
      return copies;
    }
    const copy: object = value instanceof Error ? new Error() : {};
    known.set(value, copy);
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      if (!("value" in property)) continue;
      const [name, part] = copyEntry(key, property.value) as [string, unknown];
      Object.defineProperty(copy, name, { ...property, value: part, configurable: true });
    }
    if (value instanceof Error) {
      const { name, stack } = value;
      for (const [key, text] of Object.entries({ name, stack })) {
        Object.defineProperty(copy, key, { value: inner(text), configurable: true });
      }
    }
    return copy;
  }
}

// --- Internal helpers ---

const noSecrets: ReadonlySet<string> = new Set();
/** The most levels of a log line or an event that are copied. */
const maxDepth = 6;
const minLength = 4;
/** The most secrets of one source, so that a client can't hold the event loop with many values. */
const maxTexts = 64;
/** Deeper than any payload; a circle ends there. */
const maxTextDepth = 64;
const special = /[$()*+.?[\\\]^{|}]/g;
/** Shorter pieces of base64 would be found by chance; longer secrets are not looked for in it. */
const minEncoded = 5;
const maxEncoded = 256;
/** Searches a longer secret in pieces, because the search compares each position with a whole piece. */
const maxPiece = 256;
const tooDeep = "[too deep]";
const unreadable = "[unreadable]";

/** No generator, because one per part of a large value takes ten times as long. */
function takeTexts(value: unknown, taken: string[] = [], depth = 0): string[] {
  if (typeof value === "string") taken.push(value);
  else if (typeof value === "number" || typeof value === "bigint") taken.push(String(value));
  else if (typeof value === "object" && value !== null && depth <= maxTextDepth) {
    const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    for (const part of parts) {
      if (taken.length === maxTexts) break;
      takeTexts(part, taken, depth + 1);
    }
  }
  return taken;
}

function toMatcher(secrets: ReadonlySet<string>): RegExp {
  const longestFirst = [...secrets].toSorted((a, b) => b.length - a.length);
  const patterns = longestFirst.map((secret) => secret.replace(special, "\\$&"));
  return new RegExp(patterns.join("|"), "g");
}

/** Pieces of nearly the same length: a short one would match by chance. */
function toPieces(secret: string): string[] {
  const count = Math.ceil(secret.length / maxPiece);
  const startOf = (index: number) => Math.floor((index * secret.length) / count);
  return Array.from({ length: count }, (_, index) =>
    secret.slice(startOf(index), startOf(index + 1)),
  );
}

/** The forms of a secret: plain, in JSON, in a URL, in a form, and in base64. */
function toSpellings(secret: string): string[] {
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    tryOr(secret, encodeURIComponent),
    tryOr(secret, encodeURI),
    new URLSearchParams([["", secret]]).toString().slice(1),
    ...toBase64(secret),
  ];
}

/**
 * The base64 forms, also inside a longer text: the bytes before shift it by up to two, and its first and last
 * characters depend on the bytes around it.
 */
function toBase64(secret: string): string[] {
  if (secret.length > maxEncoded) return [];
  const bytes = Buffer.from(secret);
  const texts = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const end = text.indexOf("=");
    // Leave out a last character that also depends on the bytes that follow.
    return text.slice(shift === 0 ? 0 : shift + 1, end === -1 ? undefined : end - 1);
  });
  const whole = bytes.toString("base64");
  return [whole, whole.replaceAll("=", ""), ...texts]
    .filter((text) => text.length >= minEncoded)
    .flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")]);
}

function tryOr(text: string, convert: (text: string) => string): string {
  try {
    return convert(text);
  } catch {
    return text;
  }
}
