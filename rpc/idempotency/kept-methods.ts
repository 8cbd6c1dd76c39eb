import type { RpcMethod } from "../method.ts";
import { holdsSecrets } from "../redaction/secret.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";

/**
 * Reads the idempotency key of a call.
 * @returns `undefined` if the server stores no keys of this method
 * @throws RpcError `malformed_request`
 */
export function readKeyFor(method: RpcMethod, headers: Headers): string | undefined {
  if (method.readOnly) return undefined;
  const key = readIdempotencyKey(headers);
  return key !== undefined && storesKeys(method) ? key : undefined;
}

/** Whether the server stores the keys of a method: it has a session, changes something, and its input has no `secret()`. */
export function storesKeys(method: RpcMethod): boolean {
  const known = stored.get(method);
  if (known !== undefined) return known;
  const { access, input, readOnly } = method;
  const result = access !== "public" && !readOnly && (input === undefined || !holdsSecrets(input));
  stored.set(method, result);
  return result;
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
const stored = new WeakMap<RpcMethod, boolean>();
