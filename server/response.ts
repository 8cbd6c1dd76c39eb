import { FastResponse, type ServerRequest } from "srvx";
import { jsonText } from "../rpc/method.ts";
import type { Logger } from "../shared/log.ts";
import type { HeaderEntry } from "./credentials/transport.ts";
import { watchBody } from "./client-signal.ts";

/**
 * A response while it is being built. Its headers are a list, as Node sends them, because a `Headers` object costs more
 * time than a session.
 */
export interface RpcResponse {
  readonly status: number;
  readonly statusText?: string;
  readonly body: string | ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly headers: HeaderEntry[];
}

/**
 * Creates the response for a result: JSON, also for a string; 204 if there is no result.
 * @throws TypeError if JSON can't hold a part of the value; the message names the part
 */
export function toRpcResponse(value: unknown, cacheControl = "no-store"): RpcResponse {
  const cache: HeaderEntry = ["cache-control", cacheControl];
  const body = toText(value);
  if (body === undefined) return { status: 204, body: null, headers: [cache] };
  return { status: 200, body, headers: [cache, ["content-type", "application/json"]] };
}

/**
 * Creates the response that the server sends. Node writes it directly, without a web stream.
 * @param log for a stream that breaks off; absent: streams are not watched
 */
export function toResponse(
  { body: given, status, statusText, headers }: RpcResponse,
  request: ServerRequest,
  log?: Logger,
): Response {
  joinVary(headers);
  keepCookies(headers, request);
  const isWatched = log !== undefined && given instanceof ReadableStream;
  const body = isWatched ? watchBody(given, request, log) : given;
  // No spread: V8 gives each object with a spread its own hidden class (docs/speed.md).
  const init = statusText === undefined ? { status, headers } : { status, statusText, headers };
  const response = new FastResponse(body, init);
  // @hono/node-server replaces the global class, and h3 then sends this object as text.
  return response instanceof Response ? response : new Response(body, init);
}

/** Whether a value is a web `Response`, even that of another library. */
export function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null) return false;
  try {
    return (
      value instanceof Response || Object.prototype.toString.call(value) === "[object Response]"
    );
  } catch {
    // A revoked proxy throws.
    return false;
  }
}

/** Ends the body of a method's `Response` that is not sent. */
export function discardResult(result: unknown): void {
  if (isResponse(result)) void result.body?.cancel().catch(() => undefined);
}

/** Cancels the stream of a response that is not sent. */
export function discardBody({ body }: Pick<RpcResponse, "body">): void {
  if (body instanceof ReadableStream) void body.cancel().catch(() => undefined);
}

/**
 * Finds a part that JSON would change or drop without an error, or fails on: a `Map`, a stream, `NaN`, a function.
 * Like `JSON.stringify`, it leaves out `undefined` properties, and calls `toJSON`.
 * @returns the path from the value to the part, for example `items[2].price` (empty for the value itself), and a
 * description, for example `a Map` or `NaN`
 */
export function findJsonFault(
  value: unknown,
): { readonly path: string; readonly found: string } | undefined {
  const fault = findFault(value, "", 0);
  return fault && { path: toPath(fault.keys), found: fault.found };
}

// --- Internal helpers ---

/** Joins repeated `Vary` headers: behind Express, Node 20 sends only the last header of each name. */
function joinVary(headers: HeaderEntry[]): void {
  let first = -1;
  for (let index = 0; index < headers.length; index++) {
    const [name, value] = headers[index] as HeaderEntry;
    if (name !== "vary") continue;
    if (first === -1) {
      first = index;
    } else {
      headers[first] = ["vary", `${(headers[first] as HeaderEntry)[1]}, ${value}`];
      headers.splice(index--, 1);
    }
  }
}

/**
 * Adds cookies to Node's response if a framework has set headers there, as Express does. Otherwise, Node 20 sends only
 * the last of several cookies, and drops those of the framework.
 */
function keepCookies(headers: HeaderEntry[], request: ServerRequest): void {
  if (!headers.some(isCookie)) return;
  const node = request.runtime?.node?.res;
  if (node === undefined || node.getHeaderNames().length === 0) return;
  for (const [name, value] of headers.filter(isCookie)) node.appendHeader(name, value);
  const others = headers.filter((header) => !isCookie(header));
  headers.splice(0, headers.length, ...others);
}

function isCookie([name]: HeaderEntry): boolean {
  return name === "set-cookie";
}

function toText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  const { [jsonText]: text } = value as { readonly [jsonText]?: string };
  if (text !== undefined) return text;
  const fault = findJsonFault(value);
  if (fault === undefined) return JSON.stringify(value);
  const { path, found } = fault;
  const part = path === "" ? "it" : `"${path}"`;
  throw new TypeError(
    `A method's result cannot be sent as JSON: ${part} is ${found}. Return plain objects, arrays, strings, finite numbers, booleans or null; or a Response`,
  );
}

/** A value that is nested deeper counts as circular. */
const maxDepth = 500;
/** The most keys of a path in the message. */
const shownKeys = 8;

interface Fault {
  readonly found: string;
  /** In reverse order: from the part up to the value. */
  readonly keys: (string | number)[];
}

function findFault(value: unknown, key: string, depth: number): Fault | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { found: String(value), keys: [] };
    case "object":
      return value === null ? undefined : findFaultIn(value, key, depth);
    default:
      return hasToJson(value)
        ? findFault(value.toJSON(key), key, depth)
        : { found: `a ${typeof value}`, keys: [] };
  }
}

function findFaultIn(value: object, key: string, depth: number): Fault | undefined {
  if (depth > maxDepth)
    return { found: `more than ${maxDepth} levels deep, or a circle`, keys: [] };
  if (hasToJson(value)) {
    const isInvalid = value instanceof Date && Number.isNaN(value.getTime());
    if (isInvalid) return { found: "an invalid Date", keys: [] };
    const json = value.toJSON(key);
    if (json !== value) return findFault(json, key, depth + 1);
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const part: unknown = value[index];
      if (typeof part === "string") continue;
      const fault = findFault(part, "", depth + 1);
      if (fault !== undefined) return within(fault, index);
    }
    return undefined;
  }
  if (!isPlain(value)) {
    if (isPrimitive(value)) return findFault(value.valueOf(), "", depth);
    if (Object.keys(value).length === 0 || isEmptied(value))
      return { found: nameOf(value), keys: [] };
  }
  for (const name in value) {
    const part = (value as Record<string, unknown>)[name];
    if (typeof part === "string" || !Object.hasOwn(value, name)) continue;
    const fault = findFault(part, name, depth + 1);
    if (fault !== undefined) return within(fault, name);
  }
  return undefined;
}

function within(fault: Fault, key: string | number): Fault {
  fault.keys.push(key);
  return fault;
}

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === "function";
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a value is a wrapped primitive, such as `new Number(1)`: JSON holds the primitive. */
function isPrimitive(value: object): boolean {
  return /^\[object (?:Number|String|Boolean)\]$/.test(Object.prototype.toString.call(value));
}

/** Whether JSON loses the content of such an object, because no field has it, or too many fields do. */
function isEmptied(value: object): boolean {
  return (
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Error ||
    value instanceof Promise ||
    ArrayBuffer.isView(value)
  );
}

function nameOf(value: object): string {
  const { constructor } = value as { readonly constructor?: { readonly name?: unknown } };
  const name = constructor?.name;
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return `a ${typeof name === "string" && name !== "" && name !== "Object" ? name : tag}`;
}

/** Only the first keys, because a circle has hundreds. */
function toPath(keys: readonly (string | number)[]): string {
  const shown = keys.toReversed().slice(0, shownKeys);
  const steps = shown.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
  const rest = keys.length > shownKeys ? "…" : "";
  return `${steps.join("").replace(/^\./, "")}${rest}`;
}
