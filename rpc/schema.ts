import type { StandardSchemaV1 } from "@standard-schema/spec";
import { RpcError, type Issue } from "./error.ts";

/** The result of a schema: the parsed value, or the issues. */
export type Parsed = { readonly value: unknown } | { readonly issues: readonly Issue[] };

/** Checks a value against any Standard Schema. */
export async function parseWith(schema: StandardSchemaV1, value: unknown): Promise<Parsed> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { value: result.value };
  return { issues: result.issues.map(({ message, path }) => ({ path: toPath(path), message })) };
}

/** Checks a client's payload. @throws RpcError `invalid_input` */
export async function parseInput<S extends StandardSchemaV1>(
  schema: S,
  payload: unknown,
): Promise<StandardSchemaV1.InferOutput<S>> {
  const parsed = await parseWith(schema, payload);
  if ("value" in parsed) return parsed.value as StandardSchemaV1.InferOutput<S>;
  throw new RpcError("invalid_input", { errors: parsed.issues });
}

// --- Internal helpers ---

function toPath(path: StandardSchemaV1.Issue["path"] = []): (string | number)[] {
  const keys = path.map((segment) => (typeof segment === "object" ? segment.key : segment));
  return keys.map((key) => (typeof key === "number" ? key : String(key)));
}
