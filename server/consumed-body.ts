import type { IncomingMessage } from "node:http";
import type { ServerRequest } from "srvx";
import { RpcError } from "../rpc/error.ts";

/**
 * Finds the text of a body that the server around the storefront has read: the result of its parser, or the other half of
 * a clone.
 * @returns `undefined` if srvx has the text
 * @throws RpcError `malformed_request` if the body was read and is not there; `too_large`
 */
export function findConsumedBody(
  req: ServerRequest,
  maxBodySize: number,
): string | Promise<string> | undefined {
  // Frameworks add these properties.
  const request = req.runtime?.node?.req as
    | (IncomingMessage & {
        readonly body?: unknown;
        readonly rawBody?: unknown;
        readonly [h3RawBody]?: unknown;
      })
    | undefined;
  if (request === undefined) throw consumed();
  const { body, rawBody, headers } = request;
  // srvx reads these bytes, which some serverless platforms set.
  if (Buffer.isBuffer(rawBody)) return undefined;
  const rawOfH3 = request[h3RawBody];
  if (body === undefined && rawOfH3 instanceof Promise) {
    return rawOfH3.then((raw: unknown) => checkSize(toText(raw) ?? "", maxBodySize));
  }
  const text = body === undefined ? undefined : toText(body);
  const length = headers["content-length"];
  const isEmpty = Number(length ?? 0) === 0 && !headers["transfer-encoding"];
  if (isEmpty) return "";
  if (text !== undefined) return checkSize(text, maxBodySize);
  if (Number(length) > maxBodySize) throw new RpcError("too_large");
  return readClone(req, length);
}

/**
 * Rejects an empty body if the headers promise one: the server around the storefront passed on the headers without it.
 * @throws RpcError `malformed_request`
 */
export function assertNotDropped({ headers }: ServerRequest): void {
  if (Number(headers.get("content-length") ?? 0) > 0) throw consumed();
}

// --- Internal helpers ---

/** The property of Node's request in which h3 1 keeps a body that it has read. */
const h3RawBody = Symbol.for("h3RawBody");

/** A request of srvx whose clone was read has the whole body itself. Node's request looks the same without a clone. */
async function readClone(req: ServerRequest, length: string | undefined): Promise<string> {
  if (req.bodyUsed || req.body?.locked) throw consumed();
  const text = await req.text().catch(() => "");
  if (Buffer.byteLength(text) === Number(length)) return text;
  throw consumed();
}

function checkSize(text: string, maxBodySize: number): string {
  if (Buffer.byteLength(text) > maxBodySize) throw new RpcError("too_large");
  return text;
}

/** Converts a parsed body back to text, so that it passes every check of a body. */
function toText(body: unknown): string | undefined {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  try {
    return JSON.stringify(body);
  } catch (cause) {
    const detail =
      "A parser in front of the storefront has read the body, and its result isn't valid JSON";
    throw new RpcError("malformed_request", { detail, cause });
  }
}

function consumed(): RpcError {
  const detail =
    "The body is already consumed: the framework around the storefront has read the body already. Mount the storefront in front of body parsers (Express, Hono), or with the plugin of storefront-core/fastify (Fastify): see docs/mounting.md";
  return new RpcError("malformed_request", { detail });
}
