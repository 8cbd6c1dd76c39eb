import { storesKeys } from "../../rpc/idempotency/idempotency-key.ts";
import type { RpcMethod, RpcMethods, Verb } from "../../rpc/method.ts";
import { findAnswer } from "./answers.ts";
import type { DocumentSource } from "./openapi-route.ts";
import { listProblems } from "./problem-responses.ts";
import {
  describeSchema,
  isOptional,
  isOptionalResult,
  notDescribed,
  type JsonSchema,
} from "./json-schema.ts";

/**
 * Describes one method: POST, and the verb of the method if that is another.
 * @returns its path in the document, and its schemas for `components.schemas`
 */
export function describeMethod(name: string, method: RpcMethod, source: DocumentSource) {
  const schemas: Record<string, JsonSchema> = {};
  const add = (
    suffix: string,
    schema: NonNullable<RpcMethod["input"]>,
    side: "input" | "output",
  ) => {
    const reference = `#/components/schemas/${name}${suffix}`;
    schemas[name + suffix] = describeSchema(schema, side, reference);
    return { $ref: reference };
  };
  const payload = method.input && add("Payload", method.input, "input");
  const known = findAnswer(name, method);
  const isOwn = known === undefined;
  const result = method.output ? add("Result", method.output, "output") : known;
  const mayBeEmpty = method.output ? isOptionalResult(method.output) : isOwn || known === null;
  // A method of your own can change the basket, whatever its name.
  const changesBasket =
    method.access !== "public" && !method.readOnly && (isOwn || /Basket/.test(name));
  const hasCommerce = source.shop.commerce !== undefined;
  const operation = (verb: Verb): JsonSchema => {
    const isRead = verb === "GET";
    return {
      operationId: verb === "POST" ? name : toOperationId(name, verb, source.methods),
      tags: [isOwn ? "Methods of this server" : "Built-in methods"],
      security: toSecurity(method, source),
      parameters: [
        { $ref: "#/components/parameters/ShopId" },
        ...(storesKeys(method) ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : []),
        ...(changesBasket ? [{ $ref: "#/components/parameters/IfMatch" }] : []),
        ...(isRead && payload !== undefined ? [toQuery(payload, isOptional(method.input))] : []),
      ],
      ...(!isRead && { requestBody: toBody(payload, isOptional(method.input)) }),
      responses: {
        ...(result !== null && { 200: toSuccess(result ?? notDescribed, method, source) }),
        ...(mayBeEmpty && { 204: { description: "The method ran. It has no result." } }),
        ...listProblems(method, { hasCommerce, changesBasket }),
      },
    };
  };
  const verbs = new Set<Verb>(["POST", method.verb ?? "POST"]);
  const path = Object.fromEntries([...verbs].map((verb) => [verb.toLowerCase(), operation(verb)]));
  return { path, schemas };
}

// --- Internal helpers ---

/** The ID of a second verb: not the name of another method, because that is the ID of its POST. */
function toOperationId(name: string, verb: Verb, methods: RpcMethods): string {
  let id = `${name}_${verb.toLowerCase()}`;
  while (Object.hasOwn(methods, id)) id += "_";
  return id;
}

/** A session begins by itself, so only a method for users needs one. */
function toSecurity({ access }: RpcMethod, { shop }: DocumentSource): readonly JsonSchema[] {
  if (access === "public") return [];
  const schemes = shop.session.tokenMethods.map((method) => ({ [method]: [] }));
  return access === "user" ? schemes : [{}, ...schemes];
}

function toBody(payload: JsonSchema | undefined, isLeftOut: boolean): JsonSchema {
  const schema = {
    type: "object",
    properties: { payload: payload ?? { description: "This method takes no payload." } },
    ...(!isLeftOut && { required: ["payload"] }),
  };
  return { required: !isLeftOut, content: { "application/json": { schema } } };
}

function toQuery(payload: JsonSchema, isLeftOut: boolean): JsonSchema {
  return {
    name: "payload",
    in: "query",
    required: !isLeftOut,
    description: "The payload as JSON.",
    content: { "application/json": { schema: payload } },
  };
}

function toSuccess(
  schema: JsonSchema,
  { access }: RpcMethod,
  { transports }: DocumentSource,
): JsonSchema {
  const issuers = access === "public" ? [] : transports;
  const headers = {
    "Cache-Control": { $ref: "#/components/headers/CacheControl" },
    ...Object.fromEntries(
      issuers.map(({ name, credentialHeaders }) => [
        credentialHeaders.response,
        { $ref: `#/components/headers/${name}` },
      ]),
    ),
  };
  const description = "The result of the method.";
  return { description, headers, content: { "application/json": { schema } } };
}
