import { answerSchemas } from "./answers.ts";
import type { DocumentSource } from "./openapi-route.ts";
import { describeMethod } from "./operation.ts";
import { createProblemResponses, problemSchema } from "./problem-responses.ts";
import type { JsonSchema } from "./json-schema.ts";

export { findFault } from "./results.ts";
export { findUndescribed } from "./json-schema.ts";

/** Creates the OpenAPI 3.1 document of one shop. It never throws because of a method. */
export function createDocument(source: DocumentSource): JsonSchema {
  const { shop, methods, transports, serverUrl } = source;
  const described = Object.entries(methods)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, method]) => [name, describeMethod(name, method, source)] as const);
  return {
    openapi: "3.1.1",
    info: {
      title: `Storefront, shop ${shop.shopId}`,
      version: "1",
      description:
        'RPC methods of a shop. The body of each call is `{ "payload": … }`. A failed call gets `application/problem+json`.',
    },
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    servers: [{ url: serverUrl }],
    paths: Object.fromEntries(described.map(([name, { path }]) => [`/rpc/${name}`, path])),
    components: {
      schemas: Object.assign(
        { Problem: problemSchema, ...answerSchemas },
        ...described.map(([, { schemas }]) => schemas),
      ) as JsonSchema,
      responses: createProblemResponses(),
      parameters: createParameters(source),
      headers: {
        CacheControl: {
          description: "`no-store`, except for results that caches can store.",
          schema: { type: "string" },
        },
        ...Object.fromEntries(
          transports.map(({ name, openApi }) => [
            name,
            { description: openApi.issued, schema: { type: "string" } },
          ]),
        ),
      },
      securitySchemes: Object.fromEntries(
        transports.map(({ name, openApi }) => [name, openApi.scheme]),
      ),
    },
  };
}

// --- Internal helpers ---

function createParameters({ shop, needsShopHeader }: DocumentSource): JsonSchema {
  return {
    ShopId: {
      name: "x-shop-id",
      in: "header",
      required: needsShopHeader,
      description: "The shop of the call. Without it, the URL decides.",
      schema: { type: "integer", enum: [shop.shopId] },
    },
    IdempotencyKey: {
      name: "Idempotency-Key",
      in: "header",
      description:
        "A random text, new for each call. A call that is repeated with it runs once, and gets the same response.",
      schema: { type: "string", minLength: 1, maxLength: 255 },
    },
    IfMatch: {
      name: "If-Match",
      in: "header",
      description:
        'Changes the basket only if it has this revision, in quotation marks, for example `"3"`; otherwise 412.',
      schema: { type: "string" },
    },
  };
}
