import type { StandardSchemaV1 } from "@standard-schema/spec";
import { RpcError, type Issue } from "./error.ts";

/** What a schema made of a value: the parsed value, or the issues it found. */
export type Parsed = { readonly value: unknown } | { readonly issues: readonly Issue[] };

/** Checks a value against any Standard Schema: at once, where the schema does. */
export function parseWith(schema: StandardSchemaV1, value: unknown): Parsed | Promise<Parsed> {
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then(toParsed) : toParsed(result);
}

/** Checks what a client sent. @throws RpcError `invalid_input` */
export async function parseInput<S extends StandardSchemaV1>(
  schema: S,
  payload: unknown,
): Promise<StandardSchemaV1.InferOutput<S>> {
  const parsing = parseWith(schema, payload);
  const parsed = parsing instanceof Promise ? await parsing : parsing;
  if ("value" in parsed) return parsed.value as StandardSchemaV1.InferOutput<S>;
  throw new RpcError("invalid_input", { errors: parsed.issues });
}

// --- Internal helpers ---

function toParsed(result: StandardSchemaV1.Result<unknown>): Parsed {
  if (result.issues === undefined) return { value: result.value };
  return { issues: result.issues.map(({ message, path }) => ({ path: toPath(path), message })) };
}

function toPath(path: StandardSchemaV1.Issue["path"] = []): (string | number)[] {
  const keys = path.map((segment) => (typeof segment === "object" ? segment.key : segment));
  return keys.map((key) => (typeof key === "number" ? key : String(key)));
}
