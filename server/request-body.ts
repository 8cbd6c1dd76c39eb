import { RpcError } from "../rpc/error.ts";
import type { RequestEvent } from "./request.ts";

/**
 * Gets the text of a body that a parser in front of the storefront has read, from the property that Express sets.
 * @returns `undefined` if the body is still unread
 * @throws RpcError `malformed_request` if the body was read and is not there; `too_large`
 */
export function getReadBody({ req }: RequestEvent, maxBodySize: number): string | undefined {
  const request: ReadRequest | undefined = req.runtime?.node?.req;
  if (request === undefined) {
    if (req.bodyUsed || req.body?.locked) throw alreadyRead();
    return undefined;
  }
  if (!request.readableDidRead && !request.readableEnded) return undefined;
  const { body, rawBody, headers } = request;
  // srvx reads these bytes, which some serverless platforms set.
  if (Buffer.isBuffer(rawBody)) return undefined;
  const text = body === undefined ? undefined : toText(body);
  const isEmpty = Number(headers["content-length"] ?? 0) === 0 && !headers["transfer-encoding"];
  if (text === undefined && !isEmpty) throw alreadyRead();
  if (Buffer.byteLength(text ?? "") > maxBodySize) throw new RpcError("too_large");
  return isEmpty ? "" : text;
}

// --- Internal helpers ---

/** Node's request, with the properties that frameworks add. */
interface ReadRequest {
  readonly readableDidRead: boolean;
  readonly readableEnded: boolean;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly rawBody?: unknown;
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

function alreadyRead(): RpcError {
  const detail =
    "The framework that the storefront is mounted in has read the body already. Mount the storefront in front of body parsers (Express, Hono), or without content type parsers (Fastify): see docs/mounting.md";
  return new RpcError("malformed_request", { detail });
}
