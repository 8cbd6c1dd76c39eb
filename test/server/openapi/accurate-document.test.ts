import { type } from "arktype";
import * as v from "valibot";
import { expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { requestDocument } from "./_document.ts";

const handler = () => ({ done: true });

test("the OpenAPI document lets a client leave out the payloads that the server does without", async () => {
  const inputs = {
    a_default: z.object({ page: z.int() }).default({ page: 1 }),
    a_prefault: z.object({ page: z.int().default(1) }).prefault({}),
    an_optional: z.string().optional(),
    an_any: z.any(),
    a_valibot: v.optional(v.string()),
    an_arktype: type("string | undefined"),
  };
  const needed = {
    a_plain: z.string(),
    a_processed: z.preprocess((value) => value, z.string()),
    a_needed: v.string(),
  };
  const all = Object.entries({ ...inputs, ...needed });
  const { document } = await requestDocument({
    methods: Object.fromEntries(
      all.map(([name, input]) => [name, defineRpcMethod({ input, handler })]),
    ),
  });
  for (const [name] of all) {
    const { requestBody } = document.paths[`/rpc/${name}`]?.["post"] ?? {};
    expect(requestBody?.required, name).toBe(Object.hasOwn(needed, name));
  }
});

test("the OpenAPI document says that a result can be nothing", async () => {
  const outputs = {
    a_null: z.null(),
    a_union: z.union([z.object({ id: z.int() }), z.null()]),
    a_valibot: v.nullish(v.string()),
    an_any: z.unknown(),
  };
  const something = { a_text: z.string(), a_fallback: z.string().catch("none") };
  const all = Object.entries({ ...outputs, ...something });
  const { document } = await requestDocument({
    methods: Object.fromEntries(
      all.map(([name, output]) => [
        name,
        defineRpcMethod({ output, handler: () => null as never }),
      ]),
    ),
  });
  for (const [name] of all) {
    const { responses = {} } = document.paths[`/rpc/${name}`]?.["post"] ?? {};
    expect(Object.hasOwn(responses, "204"), name).toBe(Object.hasOwn(outputs, name));
  }
});

test("the OpenAPI document rejects no payload that the server accepts", async () => {
  const { document } = await requestDocument({
    methods: {
      withFlags: defineRpcMethod({
        input: z
          .string()
          .regex(/^[a-z]+$/i)
          .max(9),
        handler,
      }),
      withTwo: defineRpcMethod({ input: z.string().regex(/a/i).regex(/b/), handler }),
      withFormat: defineRpcMethod({ input: z.email({ pattern: /@x$/i }), handler }),
      withReadonly: defineRpcMethod({
        input: z.object({ tags: z.array(z.string()).readonly() }),
        output: z.object({ tags: z.array(z.string()).readonly() }),
        handler: () => ({ tags: [] }),
      }),
      withDate: defineRpcMethod({ input: type("Date"), handler }),
    },
  });
  const { schemas } = document.components;
  expect(schemas["withFlagsPayload"]).toEqual({
    type: "string",
    maxLength: 9,
    description: "Matches /^[a-z]+$/i.",
  });
  expect(schemas["withTwoPayload"]).toEqual({
    type: "string",
    allOf: [{ pattern: "b" }],
    description: "Matches /a/i.",
  });
  expect(schemas["withFormatPayload"]).not.toHaveProperty("pattern");
  // A property that is `readOnly` in OpenAPI is left out of requests.
  expect(JSON.stringify(schemas["withReadonlyPayload"])).not.toContain("readOnly");
  expect(schemas["withReadonlyResult"]).toMatchObject({ properties: { tags: { readOnly: true } } });
  expect(schemas["withDatePayload"]).toMatchObject({ "x-not-described": true });
});
