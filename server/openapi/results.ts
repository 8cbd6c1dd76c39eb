import { fromJSONSchema, type ZodType } from "zod";
import { jsonText, type RpcMethod } from "../../rpc/method.ts";
import { answerSchemas, findAnswer } from "./answers.ts";
import type { JsonSchema } from "./json-schema.ts";

/**
 * Compares a result with the description of its method in the document.
 * @returns each difference, with its path; `undefined` if there is none, and for methods without a description
 */
export function findFault(name: string, method: RpcMethod, result: unknown): string | undefined {
  const answer = findAnswer(name, method);
  if (answer === undefined) return undefined;
  const json = toJson(result);
  if (answer === null) return json === undefined ? undefined : "expected no result";
  const { error } = toSchema(answer).safeParse(json);
  return error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
}

// --- Internal helpers ---

const schemas = new Map<JsonSchema, ZodType>();

function toSchema(answer: JsonSchema): ZodType {
  const known = schemas.get(answer);
  if (known !== undefined) return known;
  const text = JSON.stringify({ ...answer, $defs: answerSchemas });
  const created = fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")));
  schemas.set(answer, created);
  return created;
}

/** The result as a client receives it. */
function toJson(result: unknown): unknown {
  if (result === null || result === undefined) return undefined;
  const { [jsonText]: text = JSON.stringify(result) } = result as { readonly [jsonText]?: string };
  return JSON.parse(text);
}
