import { FastResponse, type ServerRequest } from "srvx";
import { findJsonFault } from "../storage/documents/json-fault.ts";
import { jsonText } from "../rpc/method.ts";
import type { Logger } from "../shared/log.ts";
import type { HeaderEntry } from "./credentials/transport.ts";
import { watchBody } from "./client-signal.ts";
import { toReasonPhrase } from "./reason-phrase.ts";

/**
 * A response while it is being built. Its headers are a list, as Node sends them, because a `Headers` object costs more
 * time than a session.
 */
export interface RpcResponse {
  readonly status: number;
  /** The code of an error. */
  readonly code?: string;
  /** Default: the reason phrase of the status. */
  readonly statusText?: string;
  readonly body: string | ArrayBuffer | ReadableStream<Uint8Array<ArrayBuffer>> | null;
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
  const init = { status, statusText: statusText || toReasonPhrase(status), headers };
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
export function discardBody({ body }: RpcResponse | Response): void {
  if (body instanceof ReadableStream) void body.cancel().catch(() => undefined);
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
