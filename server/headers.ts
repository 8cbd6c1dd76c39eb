import { RpcError } from "../rpc/error.ts";
import type { Incoming } from "./incoming.ts";

/** The most characters that the names and values of a request's headers may have together. */
const maxHeaderSize = 16_384;

/**
 * Node's own limit, which counts the first line and the separators too. What is beyond it is answered
 * without a body, so it is raised: ours speaks first.
 */
export const nodeHeaderSize = 2 * maxHeaderSize;

/**
 * Refuses headers, cookies among them, that are too large; to be asked before any is parsed.
 * @throws RpcError `headers_too_large` (RFC 6585, 431)
 */
export function assertHeaderSize({ req }: Incoming): void {
  // As they came, where Node has them: it is quicker than to make them `Headers`.
  const texts = req.runtime?.node?.req.rawHeaders ?? [...req.headers].flat();
  const size = texts.reduce((sum, { length }) => sum + length, 0);
  if (size <= maxHeaderSize) return;
  const detail = `They have ${size} characters; the limit is ${maxHeaderSize}`;
  throw new RpcError("headers_too_large", { detail });
}
