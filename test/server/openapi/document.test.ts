import { Validator } from "@seriousme/openapi-schema-validator";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import * as mini from "zod/mini";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { secret } from "../../../rpc/redaction/secret.ts";
import { forProduction } from "../../_setup.ts";
import { requestDocument } from "./_document.ts";

const foreign = {
  "~standard": {
    version: 1,
    vendor: "other",
    validate: (value: unknown) => ({ value: value as string }),
    types: undefined as unknown as { readonly input: string; readonly output: string },
  },
} as const;

const described = {
  "~standard": {
    ...foreign["~standard"],
    jsonSchema: { input: () => ({ type: "string", maxLength: 5 }), output: () => ({}) },
  },
} as const;

const throwing = {
  "~standard": {
    ...foreign["~standard"],
    jsonSchema: {
      input: () => {
        throw new Error("not supported");
      },
      output: () => ({}),
    },
  },
} as const;

interface Node {
  readonly value: string;
  readonly next?: Node | undefined;
}

const node: z.ZodType<Node> = z.object({
  value: z.string(),
  get next() {
    return node.optional();
  },
});

const handler = () => ({ done: true });
const methods = {
  a_public: defineRpcMethod({
    access: "public",
    readOnly: true,
    input: z.object({ term: z.string().max(20) }),
    output: z.object({ hits: z.array(z.string()) }),
    handler: () => ({ hits: [] }),
  }),
  a_date: defineRpcMethod({ input: z.object({ at: z.date(), since: z.coerce.date() }), handler }),
  a_custom: defineRpcMethod({ input: z.custom<string>(), handler }),
  a_bigint: defineRpcMethod({ input: z.bigint().optional(), handler }),
  a_map: defineRpcMethod({ input: z.map(z.string(), z.set(z.symbol())), handler }),
  a_node: defineRpcMethod({ input: node, handler }),
  a_shared: defineRpcMethod({
    input: z.object({ one: z.string().meta({ id: "Shared" }) }),
    handler,
  }),
  a_mini: defineRpcMethod({ input: mini.object({ name: mini.string() }), handler }),
  a_foreign: defineRpcMethod({ input: foreign, handler }),
  a_described: defineRpcMethod({ input: described, handler }),
  a_throwing: defineRpcMethod({ input: throwing, handler }),
  a_secret: defineRpcMethod({ input: secret(foreign), handler }),
  a_rule: defineRpcMethod({
    input: z.string().refine((text) => text !== "x", "Expected another letter than x"),
    handler,
  }),
  a_patch: defineRpcMethod({ verb: "PATCH", access: "user", handler }),
};

describe("the OpenAPI document", () => {
  test("stays valid OpenAPI 3.1, also with methods that JSON Schema can't describe", async () => {
    const { document } = await requestDocument({ methods });
    expect(document.openapi).toMatch(/^3\.1\./);
    const result = await new Validator().validate(structuredClone(document) as never);
    expect(result).toEqual({ valid: true });
    // Every reference of the document has a target.
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = (reference ?? "")
        .split("/")
        .reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], document);
      expect(target, reference).toBeDefined();
    }
  });

  test("marks parts that JSON Schema can't describe, and translates the others", async () => {
    const { document } = await requestDocument({ methods });
    const { schemas } = document.components;
    const unsaid = { "x-not-described": true };
    expect(schemas["a_datePayload"]).toMatchObject({ properties: { at: unsaid, since: unsaid } });
    for (const name of ["custom", "bigint", "map", "foreign", "throwing"]) {
      expect(schemas[`a_${name}Payload`], name).toMatchObject(unsaid);
    }
    expect(schemas["a_describedPayload"]).toEqual({ type: "string", maxLength: 5 });
    expect(schemas["a_miniPayload"]).toMatchObject({ properties: { name: { type: "string" } } });
    expect(schemas["a_nodePayload"]).toMatchObject({
      properties: { next: { $ref: "#/components/schemas/a_nodePayload" } },
    });
    expect(schemas["a_rulePayload"]).toEqual({
      type: "string",
      description: "Expected another letter than x.",
    });
  });

  test("describes every payload of the built-in methods", async () => {
    const { document } = await requestDocument();
    expect(JSON.stringify(document)).not.toContain("x-not-described");
    const { schemas } = document.components;
    expect(schemas["addItemToBasketPayload"]).toMatchObject({
      properties: { customData: { type: "object", description: expect.stringContaining("4,096") } },
      required: ["variantId", "quantity"],
      additionalProperties: false,
    });
    expect(schemas["updateUserPayload"]).toMatchObject({
      description: "Expected at least one field.",
    });
  });

  test("marks passwords and tokens as writeOnly", async () => {
    const { document } = await requestDocument({ methods });
    const { schemas } = document.components;
    const hidden = { writeOnly: true, format: "password" };
    for (const name of ["login", "register"]) {
      expect(schemas[`${name}Payload`]).toMatchObject({ properties: { password: hidden } });
    }
    expect(schemas["resetPasswordPayload"]).toMatchObject({
      properties: { token: hidden, newPassword: hidden },
    });
    expect(schemas["a_secretPayload"]).toMatchObject({ writeOnly: true });
  });

  test("lists the verbs of each method", async () => {
    const { document } = await requestDocument({ methods });
    const verbs = (name: string) => Object.keys(document.paths[`/rpc/${name}`] ?? {});
    expect(verbs("a_public")).toEqual(["post", "get"]);
    expect(verbs("getShopConfiguration")).toEqual(["post", "get"]);
    expect(verbs("addItemToBasket")).toEqual(["post", "put"]);
    expect(verbs("clearBasket")).toEqual(["post", "delete"]);
    expect(verbs("a_patch")).toEqual(["post", "patch"]);
    expect(verbs("login")).toEqual(["post"]);
    expect(document.paths["/rpc/a_public"]?.["get"]).toMatchObject({
      parameters: expect.arrayContaining([
        expect.objectContaining({ name: "payload", in: "query", required: true }),
      ]),
    });
  });

  test("gives each operation its own ID, also if a method has the name that a GET would get", async () => {
    const read = defineRpcMethod({ access: "public", readOnly: true, handler });
    const { document } = await requestDocument({
      methods: { foo: read, foo_get: read, foo_get_: read, bar: read },
    });
    const ids = (name: string) =>
      Object.values(document.paths[`/rpc/${name}`] ?? {}).map(({ operationId }) => operationId);
    expect(ids("foo")).toEqual(["foo", "foo_get__"]);
    expect(ids("foo_get")).toEqual(["foo_get", "foo_get_get"]);
    expect(ids("bar")).toEqual(["bar", "bar_get"]);
    const all = Object.keys(document.paths).flatMap((path) => ids(path.replace("/rpc/", "")));
    expect(new Set(all).size).toBe(all.length);
  });

  test("keeps a schema whose annotations JSON can't hold", async () => {
    const circle: Record<string, unknown> = { name: "circle" };
    circle["self"] = circle;
    const input = z.object({
      count: z.number().meta({ examples: [1n, 2n ** 70n], minimum: 0n }),
      shape: z.unknown().meta({ examples: [circle, circle] }),
      day: z.string().meta({ examples: [new Date(0)], format: "date-time" }),
      id: z.bigint().catch(3n),
    });
    const { document } = await requestDocument({
      methods: { a: defineRpcMethod({ input, handler }) },
    });
    expect(document.components.schemas["aPayload"]).toMatchObject({
      properties: {
        count: { type: "number", examples: [1, "1180591620717411303424"], minimum: 0 },
        shape: { examples: [{ name: "circle" }, { name: "circle" }] },
        id: { default: 3, "x-not-described": true },
        day: { type: "string", format: "date-time", examples: ["1970-01-01T00:00:00.000Z"] },
      },
    });
  });

  test("lists headers, security, and every status", async () => {
    const { document } = await requestDocument({
      methods,
      session: { tokenMethod: ["cookie", "bearer"] },
    });
    expect(document.components.securitySchemes).toMatchObject({
      cookie: { type: "apiKey", in: "cookie", name: "$session-1001" },
      bearer: { type: "http", scheme: "bearer" },
    });
    const add = document.paths["/rpc/addItemToBasket"]?.["post"];
    expect(add?.security).toEqual([{}, { cookie: [] }, { bearer: [] }]);
    expect(add?.parameters).toEqual(
      ["ShopId", "IdempotencyKey", "IfMatch"].map((name) => ({
        $ref: `#/components/parameters/${name}`,
      })),
    );
    expect(Object.keys(add?.responses ?? {})).toEqual(
      "200 400 401 403 404 405 409 412 413 415 422 429 431 500 503 504 default".split(" "),
    );
    // The server stores no key of a method that takes a password.
    expect(document.paths["/rpc/login"]?.["post"]?.parameters).toEqual([
      { $ref: "#/components/parameters/ShopId" },
    ]);
    expect(Object.keys(document.paths["/rpc/logout"]?.["post"]?.responses ?? {})).toContain("204");
    expect(document.paths["/rpc/updateUser"]?.["post"]?.security).toEqual([
      { cookie: [] },
      { bearer: [] },
    ]);
    expect(document.paths["/rpc/a_public"]?.["get"]?.security).toEqual([]);
    expect(document.components.responses["Problem409"]?.description).toContain("session_changed");
  });
});

test("the OpenAPI document has the schemas of libraries with Standard JSON Schema", async () => {
  const { document } = await requestDocument({
    methods: {
      withArktype: defineRpcMethod({ input: type({ name: "string" }), handler }),
      withDate: defineRpcMethod({ input: type({ at: "Date" }), handler }),
      withValibot: defineRpcMethod({ input: v.object({ name: v.string() }), handler }),
    },
  });
  const { schemas } = document.components;
  expect(schemas["withArktypePayload"]).toMatchObject({
    type: "object",
    properties: { name: { type: "string" } },
    required: ["name"],
  });
  expect(schemas["withDatePayload"]).toMatchObject({
    properties: { at: { "x-not-described": true } },
  });
  // valibot translates its schemas in a package of its own.
  expect(schemas["withValibotPayload"]).toMatchObject({ "x-not-described": true });
});

describe("the routes of the OpenAPI document", () => {
  test("have a document for each shop's path, with the name of its cookie", async () => {
    const { document } = await requestDocument({}, { path: "/us/api/openapi.json" });
    expect(document.servers).toEqual([{ url: "/us/api" }]);
    expect(document.components.securitySchemes).toMatchObject({
      cookie: { name: "$session-1002" },
    });
    expect(document.components.parameters["ShopId"]).toMatchObject({ required: false });
  });

  test("need a shop: without one in the URL, the header names it", async () => {
    const path = "/api/openapi.json";
    const unknown = await requestDocument({}, { path });
    expect(unknown).toMatchObject({ status: 404, document: { code: "unknown_shop" } });
    const { document } = await requestDocument({}, { path, headers: { "x-shop-id": "1002" } });
    expect(document.servers).toEqual([{ url: "/api" }]);
    expect(document.components.parameters["ShopId"]).toMatchObject({
      required: true,
      schema: { enum: [1002] },
    });
  });

  test("exist in production only if the config enables them", async () => {
    const production = true;
    const off = await requestDocument(forProduction, { production });
    expect(off.status).toBe(404);
    const on = await requestDocument({ ...forProduction, openApi: true }, { production });
    expect(on.status).toBe(200);
    const disabled = await requestDocument({ openApi: false });
    expect(disabled.status).toBe(404);
  });
});
