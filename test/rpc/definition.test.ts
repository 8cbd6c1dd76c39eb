import { type } from "arktype";
import * as v from "valibot";
import { expect, test } from "vitest";
import * as z from "zod";
import { defineCommerceMethod } from "../../rpc/commerce/commerce-method.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";

/** Calls it like JavaScript: without the checks of the compiler. */
function define(definition: unknown) {
  return defineRpcMethod(definition as { handler(): unknown });
}

const handler = () => 1;

test.each([
  [undefined, "received nothing. Expected an object with the function handler"],
  [handler, "received a value of the type function. Expected an object"],
  [{}, "handler: received nothing. Expected a function"],
  [
    { schema: z.string(), handler },
    "unknown option schema with a schema. Expected the schema in input or output",
  ],
  [{ inputs: z.string(), handler }, "Did you mean input?"],
  [{ acess: "user", handler }, "Did you mean access?"],
  [{ access: "users", handler }, 'access: received "users". Expected "public", "session", or'],
  [{ access: null, handler }, "access: received null"],
  [{ input: { name: z.string() }, handler }, "input: received a value of the type object"],
  [{ input: String, handler }, "Expected a schema, for example of zod, valibot, or arktype"],
  [{ output: "string", handler }, 'output: received "string"'],
  [{ readOnly: "yes", handler }, 'readOnly: received "yes". Expected true or false'],
  [{ requireFresh: true, handler }, 'requireFresh: true needs access: "user", and access is'],
  [{ access: "user", signsIn: true, handler }, 'signsIn: true needs access: "session"'],
])("defineRpcMethod rejects %o: %s", (definition, message) => {
  expect(() => define(definition)).toThrow(TypeError);
  expect(() => define(definition)).toThrow(message);
});

test.each([
  [{}, "handler: received nothing. Expected a function"],
  [{ handlr: handler }, "unknown option handlr. Did you mean handler?"],
  [{ handler, inptu: z.string() }, "unknown option inptu. Did you mean input?"],
])("defineCommerceMethod rejects %o: %s", (definition, message) => {
  expect(() => defineCommerceMethod(definition as { handler(): unknown })).toThrow(message);
});

test("defineRpcMethod ignores fields that are no option", () => {
  class Definition {
    readonly description = "Greets a visitor";
    readonly roles = ["admin"];
    readonly handler = handler;
  }
  const method = define(new Definition());
  expect(method).toEqual(define({ handler }));
});

test("defineRpcMethod accepts options that are undefined, and the schemas of each library", () => {
  const nothing = { access: undefined, verb: undefined, readOnly: undefined, input: undefined };
  expect(define({ ...nothing, signsIn: undefined, handler })).toMatchObject({ access: "session" });
  for (const input of [z.string(), v.string(), type("string")]) {
    expect(define({ input, output: input, handler })).toMatchObject({ input });
  }
});
