import type { ServerRequest } from "srvx";
import { RpcError } from "../rpc/error.ts";

/** The most characters that the names and values of a request's headers may have together. */
const maxHeaderSize = 16_384;

/** The most header fields that a request may have. */
const maxHeaderCount = 200;

/**
 * Node's own limit, which also counts the first line and the separators. Node responds without a body, so its limit is
 * higher, and ours applies first.
 */
export const nodeHeaderSize = 2 * maxHeaderSize;

/** Node silently drops the fields above its limit; one more than our limit shows that there were too many. */
export const nodeHeaderCount = maxHeaderCount + 1;

/**
 * Rejects headers (cookies are among them) that are too large or too many, before any is parsed.
 * @throws RpcError `headers_too_large` (RFC 6585, 431); `malformed_request` for two `Host` fields (RFC 9112, 3.2)
 */
export function assertHeaders(request: ServerRequest): void {
  // Node's raw headers are faster than `Headers`, which join fields of one name.
  const texts = request.runtime?.node?.req.rawHeaders ?? [...request.headers].flat();
  let size = 0;
  let hosts = 0;
  for (let index = 0; index < texts.length; index += 2) {
    const name = texts[index] as string;
    size += name.length + (texts[index + 1] as string).length;
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  if (size > maxHeaderSize) {
    throw tooLarge(`They have ${size} characters; the limit is ${maxHeaderSize}`);
  }
  if (texts.length / 2 > maxHeaderCount) {
    throw tooLarge(`There are more than ${maxHeaderCount} fields, which is the limit`);
  }
  if (hosts > 1) {
    throw new RpcError("malformed_request", { detail: "There is more than one Host header" });
  }
}

// --- Internal helpers ---

function tooLarge(detail: string): RpcError {
  return new RpcError("headers_too_large", { detail });
}
