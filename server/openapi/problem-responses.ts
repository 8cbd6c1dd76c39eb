import { problems, type ProblemCode } from "../../rpc/error.ts";
import type { RpcMethod } from "../../rpc/method.ts";
import type { JsonSchema } from "./json-schema.ts";

/** The body of a failed call (RFC 9457). */
export const problemSchema: JsonSchema = {
  type: "object",
  description: "The reason why a call failed (RFC 9457).",
  required: ["type", "title", "status", "code"],
  properties: {
    type: {
      type: "string",
      format: "uri-reference",
      description: "The URL of a page about the error, or `about:blank`.",
    },
    title: { type: "string" },
    status: { type: "integer" },
    code: {
      type: "string",
      description: "Names the error. A method can have codes of its own.",
      examples: Object.keys(problems),
    },
    detail: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "message"],
        properties: {
          path: { type: "array", items: { type: ["string", "integer"] } },
          message: { type: "string" },
        },
      },
    },
    omittedErrors: { type: "integer", description: "The number of further errors." },
    data: { description: "Any JSON, for example the basket after `basket_changed`." },
    executed: {
      type: "boolean",
      description: "Whether the method ran before it failed. If not, you can repeat the call.",
    },
    instance: { type: "string", description: "Names this error in the server's log." },
  },
};

/** Errors that have nothing to do with single methods. */
const hidden: readonly ProblemCode[] = ["not_batchable", "not_an_operator", "client_gone"];

const retryAfter = {
  "Retry-After": {
    description: "Seconds to wait, if the server knows them.",
    schema: { type: "integer", minimum: 0 },
  },
};

/** One response per status, for `components.responses`. */
export function createProblemResponses(): Record<string, JsonSchema> {
  const byStatus = new Map<number, string[]>();
  for (const [code, [status, title]] of Object.entries(problems)) {
    if (hidden.includes(code as ProblemCode)) continue;
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\`: ${title}.`]);
  }
  const responses = [...byStatus].map(([status, lines]) => [
    `Problem${status}`,
    toResponse(lines.join("\n\n"), [429, 503].includes(status) ? retryAfter : undefined),
  ]);
  return {
    ...(Object.fromEntries(responses) as Record<string, JsonSchema>),
    Problem: toResponse("Any other error, for example one of the method itself."),
  };
}

/** The failed responses that a method can have. */
export function listProblems(
  { access, input }: RpcMethod,
  of: { readonly hasCommerce: boolean; readonly changesBasket: boolean },
): Record<string, JsonSchema> {
  const isPublic = access === "public";
  const always = [400, 403, 404, 405, 413, 415, 431, 500, 503, 504];
  const statuses = [
    ...always,
    ...(isPublic ? [] : [401, 409, 429]),
    ...(of.changesBasket ? [412] : []),
    ...(input === undefined && isPublic ? [] : [422]),
    ...(of.hasCommerce ? [502] : []),
  ].toSorted((a, b) => a - b);
  const entries = statuses.map((status) => [`${status}`, refer(`Problem${status}`)]);
  return { ...Object.fromEntries(entries), default: refer("Problem") };
}

// --- Internal helpers ---

function refer(name: string): JsonSchema {
  return { $ref: `#/components/responses/${name}` };
}

function toResponse(description: string, headers?: JsonSchema): JsonSchema {
  const schema = { $ref: "#/components/schemas/Problem" };
  const content = { "application/problem+json": { schema } };
  return { description, ...(headers && { headers }), content };
}
