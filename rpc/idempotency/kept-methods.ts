import type { RpcMethod } from "../method.ts";
import { holdsSecrets } from "../redaction/secret.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";

/**
 * Reads the idempotency key of a call.
 * @returns `undefined` if the server keeps no key of this method: it changes nothing, has no session, or its input has
 * a `secret()`
 * @throws RpcError `malformed_request`
 */
export function readKeyFor(method: RpcMethod, headers: Headers): string | undefined {
  if (method.readOnly) return undefined;
  const key = readIdempotencyKey(headers);
  return key !== undefined && isKept(method) ? key : undefined;
}

/**
 * Marks a method that applies its change once by itself: it stores the key with its change, and a repetition runs it
 * again. The session keeps no successful answer of such a method.
 */
export function withOwnKeys<Method extends RpcMethod>(method: Method): Method {
  ownKeys.add(method);
  return method;
}

/** Whether {@link withOwnKeys} marks a method. */
export function hasOwnKeys(method: RpcMethod): boolean {
  return ownKeys.has(method);
}

// --- Internal helpers ---

const ownKeys = new WeakSet<RpcMethod>();
const kept = new WeakMap<RpcMethod, boolean>();

function isKept(method: RpcMethod): boolean {
  const known = kept.get(method);
  if (known !== undefined) return known;
  const { access, input } = method;
  const result = access !== "public" && (input === undefined || !holdsSecrets(input));
  kept.set(method, result);
  return result;
}
