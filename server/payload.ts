import { assertBodySize, HTTPError } from "h3";
import type { ServerRequest } from "srvx";
import { RpcError, type RpcErrorOptions } from "../rpc/error.ts";
import { assertNotDropped, findConsumedBody } from "./consumed-body.ts";
import type { RequestEvent } from "./request.ts";

/** The deepest nesting of a payload. A deeper one could attack recursive parsers. */
export const maxDepth = 32;

/** The detail of a timeout while the body is read. */
export const unreadBody =
  "The body did not arrive within callTimeout: the client sent it too slowly, or the framework around the storefront has read it already. In that case, mount the storefront in front of body parsers: see docs/mounting.md";

/**
 * Reads the payload of a call: from the query of a GET, from the body or the query of a DELETE, or else from the body.
 * @throws RpcError `not_json`, `malformed_request`; h3's 413 if the body is too large
 */
export function readPayload(event: RequestEvent, maxBodySize: number): Promise<unknown> {
  if (event.isRead) return readQuery(event);
  const reading = readBody(event, maxBodySize, toPayload);
  return event.req.method === "DELETE"
    ? reading.then((payload) => orQuery(payload, event))
    : reading;
}

/**
 * Reads the JSON body of a request.
 * @param convert gets the parsed body; `undefined` if the body is empty
 * @param depth the deepest nesting that the body can have
 * @throws as {@link readPayload}; and what `convert` throws
 */
export function readBody<T>(
  event: RequestEvent,
  maxBodySize: number,
  convert: (body: unknown) => T,
  depth: number = maxDepth,
): Promise<T> {
  const contentType = event.headers.get("content-type");
  // A browser sends other types to another site without a preflight (CSRF).
  if (contentType !== null && !isJson(contentType)) throw notJson();
  const { req } = event;
  const text = isUnread(req) ? undefined : findConsumedBody(req, maxBodySize);
  if (text !== undefined) {
    return Promise.resolve(text).then((body) => convert(parseBody(body, contentType, depth)));
  }
  if (event.headers.has("content-encoding")) {
    throw new RpcError("not_json", { detail: "Content-Encoding is not supported" });
  }
  assertSize(event, maxBodySize);
  return event.req.text().then((body) => {
    if (body === "") assertNotDropped(req);
    return convert(parseBody(body, contentType, depth));
  }, rejectBody);
}

// --- Internal helpers ---

function malformed(detail: string, more?: RpcErrorOptions): RpcError {
  return new RpcError("malformed_request", { detail, ...more });
}

/** Whether nobody has read the body. Reading Node's request first saves the web stream, which `body` would create. */
function isUnread(req: ServerRequest): boolean {
  const node = req.runtime?.node?.req;
  if (node !== undefined) return !node.readableDidRead && !node.readableEnded;
  return !req.bodyUsed && !req.body?.locked;
}

/** A client that leaves in the middle of its body causes no server error. */
function rejectBody(cause: unknown): never {
  if (HTTPError.isError(cause)) throw cause;
  throw malformed("The body is not complete", { cause });
}

function notJson(): RpcError {
  const detail =
    "Send content-type: application/json. If your code does, the fetch of its framework dropped the headers, as some do with a Headers object. Pass a plain object: see docs/mounting.md";
  return new RpcError("not_json", { detail });
}

function parseBody(text: string, contentType: string | null, depth: number): unknown {
  if (text === "") return undefined;
  if (contentType === null) throw notJson();
  if (text.startsWith("[object ")) throw malformed(asText(text));
  return parse(text, "The body", depth);
}

/** An object that was passed instead of a text, for example as the body of a `Request`. */
function asText(body: string): string {
  return `The body is the text ${JSON.stringify(body.slice(0, 40))}: code in front of the storefront converted an object to text. Pass JSON.stringify(body), or the body as it came: see docs/mounting.md`;
}

function toPayload(body: unknown): unknown {
  if (body === undefined) return undefined;
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw malformed('The body must be {"payload": …}');
  }
  const stray = Object.keys(body).filter((key) => key !== "payload");
  if (stray.length > 0) {
    const errors = stray.map((key) => ({ path: [key], message: 'Expected only "payload"' }));
    throw malformed('The body must be {"payload": …}', { errors });
  }
  return (body as { payload?: unknown }).payload;
}

/**
 * Node checks that a body is as long as `Content-Length` says. h3 counts the bytes of a body without that header, which
 * it reads as a web stream.
 */
function assertSize(event: RequestEvent, maxBodySize: number): void {
  const length = event.req.runtime?.node?.req.headers["content-length"];
  if (length === undefined) return assertBodySize(event, maxBodySize);
  if (Number(length) > maxBodySize) throw new RpcError("too_large");
}

/** Some clients and proxies drop the body of a DELETE (RFC 9110, 9.3.5), so its payload can be in the query instead. */
async function orQuery(payload: unknown, event: RequestEvent): Promise<unknown> {
  const inQuery = await readQuery(event);
  if (inQuery === undefined) return payload;
  if (payload === undefined) return inQuery;
  throw malformed("Send the payload in the body or in the query, not in both");
}

async function readQuery(event: RequestEvent): Promise<unknown> {
  const payloads = event.url.searchParams.getAll("payload");
  if (payloads.length > 1) throw malformed("The query must have exactly one payload");
  return payloads[0] === undefined ? undefined : parse(payloads[0], "The payload", maxDepth);
}

function isJson(contentType: string): boolean {
  if (contentType === "application/json") return true;
  return contentType.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}

function parse(text: string, what: string, maximum: number): unknown {
  if (isTooDeep(text, maximum)) throw malformed(`${what} is nested too deeply`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(`${what} is not JSON`);
  }
  if (hasFiniteNumbers(value)) return value;
  throw malformed(`${what} has a number that is too large`);
}

/** JSON reads a number such as 1e999 as Infinity, which no result can hold (RFC 8259, 6). */
function hasFiniteNumbers(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  for (const key in value) {
    if (!hasFiniteNumbers((value as Record<string, unknown>)[key])) return false;
  }
  return true;
}

/** Counts brackets outside of strings in one pass, without recursion. */
function isTooDeep(text: string, maximum: number): boolean {
  if (text.length <= maximum) return false;
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') isInString = !isInString;
    else if (isInString && character === "\\") index++;
    else if (!isInString && (character === "[" || character === "{")) depth++;
    else if (!isInString && (character === "]" || character === "}")) depth--;
    if (depth > maximum) return true;
  }
  return false;
}
