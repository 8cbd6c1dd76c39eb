import type { StandardSchemaV1 } from "@standard-schema/spec";
import { globalRegistry, toJSONSchema, type $ZodType } from "zod/v4/core";
import { customData } from "../../rpc/methods/fields.ts";
import { isMarkedSecret } from "../../rpc/redaction/secret.ts";
import { removeFlagged } from "./flagged-patterns.ts";

/** A JSON Schema of draft 2020-12, as OpenAPI 3.1 uses it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A value that no JSON Schema describes. */
export const notDescribed: JsonSchema = {
  description: "The schema of this value can't be written as JSON Schema.",
  "x-not-described": true,
};

/**
 * Describes a schema as JSON Schema. It never throws: a part that JSON Schema can't describe gets `x-not-described`.
 * @param side `input` for the values that a client sends, `output` for results
 * @param at the path of the result in the document, for example `#/components/schemas/loginPayload`, for its references
 */
export function describeSchema(
  schema: StandardSchemaV1,
  side: "input" | "output",
  at: string,
): JsonSchema {
  const found = tryOr(notDescribed, () =>
    isZod(schema) ? describeZod(schema, side) : describeOther(schema, side),
  );
  const described = isMarkedSecret(schema) ? { ...found, writeOnly: true } : found;
  // Cloned, so that no later change of a schema reaches the document, and no value of it is not JSON.
  const json = tryOr(notDescribed, () => JSON.parse(JSON.stringify(described)) as JsonSchema);
  const { $schema: _, "~standard": __, ...rest } = json;
  return moveReferences(rest, at) as JsonSchema;
}

/** Whether a client can leave out the payload. */
export function isOptional(schema: StandardSchemaV1 | undefined): boolean {
  if (schema === undefined) return true;
  const parsed = parseNow(schema, undefined);
  if (parsed !== undefined) return parsed.issues === undefined;
  return isZod(schema) && internalsOf(schema).optin !== undefined;
}

/** Whether a result can be nothing, which is sent as 204. */
export function isOptionalResult(schema: StandardSchemaV1): boolean {
  return [undefined, null].some((nothing) => {
    const parsed = parseNow(schema, nothing);
    if (parsed === undefined)
      return isZod(schema) && empties.includes(internalsOf(schema).def.type);
    return parsed.issues === undefined && (parsed.value ?? null) === null;
  });
}

/**
 * Finds the first part of a payload that JSON Schema can't describe.
 * @returns its path, for example `items.at`, without the names of JSON Schema's keywords; empty for the whole payload
 */
export function findUndescribed(schema: StandardSchemaV1): string | undefined {
  const path = findMark(describeSchema(schema, "input", "#"));
  return path?.filter((key) => !/^(?:properties|items|anyOf|oneOf|allOf|\d+)$/.test(key)).join(".");
}

// --- Internal helpers ---

const empties: readonly string[] = ["optional", "nullable", "void", "undefined"];

function findMark(part: unknown, path: readonly string[] = []): readonly string[] | undefined {
  if (typeof part !== "object" || part === null) return undefined;
  if ((part as JsonSchema)["x-not-described"] === true) return path;
  for (const [key, value] of Object.entries(part)) {
    const found = findMark(value, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isZod(schema: object): schema is $ZodType {
  return "_zod" in schema;
}

function internalsOf({ _zod: internals }: $ZodType) {
  return internals;
}

/** Converts the value of an annotation that JSON can't hold, for example a bigint in `examples`. */
function toJson(value: unknown, above: readonly unknown[] = []): unknown {
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (typeof value !== "object" || value === null || "toJSON" in value) return value;
  // A circle has no end.
  if (above.includes(value)) return undefined;
  const inner = [...above, value];
  if (Array.isArray(value)) return value.map((item) => toJson(item, inner));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toJson(part, inner)]));
}

/** Checks a value; a schema that throws rejects it. @returns `undefined` if the schema needs time for it */
function parseNow(
  schema: StandardSchemaV1,
  value: unknown,
): StandardSchemaV1.Result<unknown> | undefined {
  const parsed = tryOr({ issues: [] }, () => schema["~standard"].validate(value));
  if (!(parsed instanceof Promise)) return parsed;
  parsed.catch(() => undefined);
  return undefined;
}

function tryOr<Value>(fallback: Value, run: () => Value): Value {
  try {
    return run();
  } catch {
    return fallback;
  }
}

/** Descriptions of our own schemas that zod can't translate. */
const written = new Map<unknown, JsonSchema>([
  [
    customData,
    {
      type: "object",
      additionalProperties: true,
      description:
        "A JSON object of up to 4,096 characters of JSON, for example an engraving. No key is `__proto__`.",
    },
  ],
]);

/** Types that zod translates as `{}`, which would allow every value. */
const untranslated: readonly string[] = [
  "custom",
  "transform",
  "date",
  "bigint",
  "symbol",
  "undefined",
  "void",
  "map",
  "set",
  "nan",
  "function",
  "promise",
];

function describeZod(schema: $ZodType, io: "input" | "output"): JsonSchema {
  return toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      // zod writes the whole schema as JSON, so one value that JSON can't hold would cost all of it.
      for (const key of ["default", ...Object.keys(globalRegistry.get(zodSchema) ?? {})]) {
        if (Object.hasOwn(jsonSchema, key)) jsonSchema[key] = toJson(jsonSchema[key]);
      }
      const known = written.get(zodSchema);
      if (known !== undefined) {
        for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
        Object.assign(jsonSchema, known);
        return;
      }
      const { def } = internalsOf(zodSchema);
      if (untranslated.includes(def.type) && isEmpty(jsonSchema)) {
        Object.assign(jsonSchema, { ...notDescribed, ...jsonSchema });
      }
      // A client can send a value that is read-only once the server has it.
      if (io === "input" && def.type === "readonly") delete jsonSchema.readOnly;
      const rules = [...removeFlagged(zodSchema, jsonSchema), ...listRules(zodSchema)].join(" ");
      if (rules !== "") {
        const { description } = jsonSchema;
        jsonSchema.description = description === undefined ? rules : `${description} ${rules}`;
      }
      if (isMarkedSecret(zodSchema)) {
        jsonSchema.writeOnly = true;
        if (jsonSchema.type === "string") jsonSchema.format ??= "password";
      }
    },
  }) as JsonSchema;
}

/** Whether a JSON Schema allows every value: it has annotations only. */
function isEmpty(schema: object): boolean {
  const annotations = ["description", "title", "examples", "default", "deprecated"];
  return Object.keys(schema).every((key) => annotations.includes(key));
}

/** The rules of `refine`, which JSON Schema can't express. */
function listRules(schema: $ZodType): readonly string[] {
  const { checks = [] } = internalsOf(schema).def;
  const rules = checks
    .map(({ _zod: { def } }) => def)
    .filter(({ check }) => check === "custom")
    .map(({ error }) => {
      const issue = { code: "custom", input: undefined, path: [] } as never;
      const message = tryOr(undefined, () => error?.(issue));
      const text = typeof message === "string" ? message : message?.message;
      return text === undefined
        ? "The server checks this value with a rule of its own."
        : `${text}.`;
    });
  return [...new Set(rules)];
}

/** Standard JSON Schema, if the library has it. */
function describeOther(schema: StandardSchemaV1, side: "input" | "output"): JsonSchema {
  const { jsonSchema } = schema["~standard"] as {
    readonly jsonSchema?: Record<typeof side, (options: { target: string }) => JsonSchema>;
  };
  const found = jsonSchema?.[side]({ target: "draft-2020-12" });
  if (found === undefined) return notDescribed;
  const { $schema: _, ...rest } = found;
  return markEmpty(rest) as JsonSchema;
}

/** Marks properties and items without a schema: some libraries write `{}` for a type that they can't translate, such as a date. */
function markEmpty(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(markEmpty);
  const entries = Object.entries(schema);
  if (entries.length === 0) return notDescribed;
  const marked = entries.map(([key, part]) => {
    if (key === "properties" && typeof part === "object" && part !== null) {
      const each = Object.entries(part).map(([name, value]) => [name, markEmpty(value)] as const);
      return [key, Object.fromEntries(each)] as const;
    }
    const isPart = ["items", "prefixItems", "anyOf", "oneOf", "allOf"].includes(key);
    return [key, isPart ? markEmpty(part) : part] as const;
  });
  return Object.fromEntries(marked);
}

/** Makes references within a schema, for example `#/$defs/Node`, point to the schema's path in the document. */
function moveReferences(value: unknown, at: string): unknown {
  if (Array.isArray(value)) return value.map((item) => moveReferences(item, at));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      const isReference = key === "$ref" && typeof part === "string" && part.startsWith("#");
      return [key, isReference ? at + part.slice(1) : moveReferences(part, at)];
    }),
  );
}
