import { RpcError, type Issue } from "../rpc/error.ts";
import { maxBatchSize } from "../rpc/unbatched.ts";

/** One call in the body of a batch. */
export interface BatchEntry {
  readonly method: string;
  readonly payload?: unknown;
  /** The `Idempotency-Key` of this call. */
  readonly key?: string;
}

/** Checks the body of a batch. @throws RpcError `malformed_request`, with the path of each error */
export function toCalls(body: unknown): readonly BatchEntry[] {
  if (!Array.isArray(body)) throw malformed([]);
  if (body.length === 0 || body.length > maxBatchSize) {
    const detail = `A batch has 1 to ${maxBatchSize} calls, and this one has ${body.length}`;
    throw new RpcError("malformed_request", { detail });
  }
  const errors = body.flatMap((entry: unknown, index) => findErrors(entry, index));
  if (errors.length > 0) throw malformed(errors);
  return body as readonly BatchEntry[];
}

// --- Internal helpers ---

/** The printable ASCII characters, which any header can have. */
const keyPattern = /^[\x21-\x7e]{1,255}$/;

function findErrors(entry: unknown, index: number): Issue[] {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return [{ path: [index], message: "Expected an object" }];
  }
  const { method, payload: _, key, ...strays } = entry as Readonly<Record<string, unknown>>;
  const errors: Issue[] = [];
  if (typeof method !== "string") {
    errors.push({ path: [index, "method"], message: "Expected the name of a method" });
  }
  if (key !== undefined && !(typeof key === "string" && keyPattern.test(key))) {
    const message = "Expected 1 to 255 printable ASCII characters without spaces";
    errors.push({ path: [index, "key"], message });
  }
  for (const name of Object.keys(strays)) {
    errors.push({ path: [index, name], message: 'Expected only "method", "payload" and "key"' });
  }
  return errors;
}

function malformed(errors: readonly Issue[]): RpcError {
  const detail = "The body of a batch must be [{method, payload?, key?}, …]";
  return new RpcError("malformed_request", errors.length === 0 ? { detail } : { detail, errors });
}
