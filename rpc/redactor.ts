import { mapLog, type Logger } from "../storage/log.ts";
import { redacted } from "./secret.ts";

/**
 * Keeps the secrets of one call out of what the call writes down: its log lines, its problem, what
 * its hooks are told.
 *
 * The secrets are looked for when something is first written down; a call that writes nothing pays
 * nothing. Those of less than 4 characters stay, for they would be found in every other word.
 */
export class Redactor {
  #headers: Headers | undefined;
  #sources: (() => Iterable<unknown>)[] = [];
  #secrets: readonly string[] = [];
  /** Finds all secrets in one pass; made when a text is first searched. */
  #matcher: RegExp | undefined;

  /** @param headers the request's, whose credentials are secret from the beginning */
  constructor(headers: Headers) {
    this.#headers = headers;
  }

  /**
   * Adds secrets.
   * @param find gives them: texts, numbers, and objects and arrays whose every value is one; it runs
   * when something is next written down
   */
  learn(find: () => Iterable<unknown>): void {
    this.#sources.push(find);
  }

  /**
   * A copy without secrets, and without what a key such as `password` names; texts in a message as
   * well as objects, arrays, maps, sets and errors, down to the 6th level. Getters are not run.
   */
  redact<T>(value: T): T {
    this.#find();
    return this.#copy(value, new Map(), 0) as T;
  }

  /** A logger that writes no secret down. */
  guard(log: Logger): Logger {
    return mapLog(log, (message, details) => [this.redact(message), this.redact(details)]);
  }

  #find(): void {
    const headers = this.#headers;
    if (headers !== undefined) this.learn(() => credentialsIn(headers));
    this.#headers = undefined;
    const sources = this.#sources;
    if (sources.length === 0) return;
    this.#sources = [];
    const found = sources.flatMap((find) => takeTexts(find(), maxTexts)).flatMap(toSpellings);
    const secrets = [...this.#secrets, ...found].filter(({ length }) => length >= minLength);
    this.#secrets = [...new Set(secrets)].toSorted((a, b) => b.length - a.length);
    this.#matcher = undefined;
  }

  /** The longest secret counts first, and no secret is looked for in the replacement of another. */
  #redactText(text: string): string {
    if (this.#secrets.length === 0) return text;
    const pattern = () => this.#secrets.map((secret) => secret.replace(special, "\\$&")).join("|");
    this.#matcher ??= new RegExp(pattern(), "g");
    return text.replace(this.#matcher, redacted);
  }

  /** A value that cannot be read, such as a revoked proxy, does not hide the rest. */
  #copy(value: unknown, known: Map<object, unknown>, depth: number): unknown {
    try {
      return this.#copyReadable(value, known, depth);
    } catch {
      return unreadable;
    }
  }

  #copyReadable(value: unknown, known: Map<object, unknown>, depth: number): unknown {
    if (typeof value === "string") return this.#redactText(value);
    if (typeof value === "number" || typeof value === "bigint") {
      return this.#secrets.includes(String(value)) ? redacted : value;
    }
    if (typeof value !== "object" || value === null || value instanceof Date) return value;
    if (known.has(value)) return known.get(value);
    if (depth === maxDepth) return tooDeep;
    const inner = (part: unknown) => this.#copy(part, known, depth + 1);
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
      return [inner(key), isTelling(key) ? redacted : inner(part)];
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

const minLength = 4;
/** Texts of one source that are searched for, so that a client's noise cannot hold the event loop. */
const maxTexts = 64;
const special = /[$()*+.?[\\\]^{|}]/g;
const maxDepth = 6;
const tooDeep = "[too deep]";
const unreadable = "[unreadable]";

/** Whether a key says of its value that it is a secret. */
function isTelling(key: unknown): boolean {
  return typeof key === "string" && /password|secret|token|authorization|cookie/i.test(key);
}

function* credentialsIn(headers: Headers): Iterable<string> {
  for (const name of ["authorization", "proxy-authorization"]) {
    const value = headers.get(name) ?? "";
    yield* [value, value.replace(/^\S+ +/, "").trim()];
  }
  const cookies = headers.get("cookie") ?? "";
  yield cookies;
  for (const cookie of cookies.split(";")) {
    const value = cookie.slice(cookie.indexOf("=") + 1).trim();
    const unquoted = value.replace(/^"(.*)"$/, "$1");
    yield* [value, unquoted, tryOr(unquoted, decodeURIComponent)];
  }
}

function takeTexts(values: Iterable<unknown>, count: number): string[] {
  const taken: string[] = [];
  for (const value of values) {
    for (const text of textsIn(value)) {
      if (taken.push(text) === count) return taken;
    }
  }
  return taken;
}

function* textsIn(value: unknown): Iterable<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "number" || typeof value === "bigint") yield String(value);
  else if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) yield* textsIn(part);
  }
}

/** As it is, and as it looks in JSON and in a URL. */
function toSpellings(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), tryOr(secret, encodeURIComponent)];
}

function tryOr(text: string, convert: (text: string) => string): string {
  try {
    return convert(text);
  } catch {
    return text;
  }
}
