import { RpcError } from "../rpc/error.ts";
import type { RpcMethod } from "../rpc/method.ts";
import { allowedVerbs } from "../rpc/verb.ts";

/** Whether an HTTP method is safe: it only reads (RFC 9110, 9.2.1). */
export function isRead(verb: string): boolean {
  return verb === "GET" || verb === "HEAD";
}

/** Checks that a request only reads. @throws RpcError `wrong_verb`, with the header `Allow` */
export function assertRead(verb: string): void {
  if (!isRead(verb)) throw new RpcError("wrong_verb", { headers: { allow: "GET, HEAD" } });
}

/** Whether a browser asks if a page may send a call. */
export function isPreflight({ method, headers }: Pick<Request, "method" | "headers">): boolean {
  return method === "OPTIONS" && headers.has("access-control-request-method");
}

/**
 * Checks that a method accepts the HTTP method of a request: POST, or its own verb.
 * @throws RpcError `wrong_verb`, with the header `Allow`
 */
export function assertVerb(verb: string, method: RpcMethod): void {
  if (verb === "POST" || verb === method.verb) return;
  if (verb === "HEAD" && method.verb === "GET") return;
  throw new RpcError("wrong_verb", { headers: { allow: allowedVerbs[method.verb] ?? "POST" } });
}
