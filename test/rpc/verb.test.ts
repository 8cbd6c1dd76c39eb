import * as v from "valibot";
import { expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod, type RpcMethodDefinition } from "../../rpc/define-method.ts";
import { secret } from "../../rpc/redaction/secret.ts";
import { createStorefront } from "../../server/storefront.ts";
import { testConfig } from "../_setup.ts";

type Definition = Partial<RpcMethodDefinition<"session", undefined, undefined, unknown>>;

/** Calls it like JavaScript: without the checks of the compiler. */
function define(definition: object) {
  return defineRpcMethod({ handler: () => 1, ...definition } as Definition & {
    handler(): unknown;
  });
}

test.each([
  [{}, "POST", false],
  [{ readOnly: true }, "POST", true],
  [{ access: "public" }, "POST", false],
  [{ access: "public", readOnly: true }, "GET", true],
  [{ access: "public", readOnly: true, verb: "POST" }, "POST", true],
  [{ verb: "GET" }, "GET", true],
  [{ access: "user", verb: "GET", readOnly: true }, "GET", true],
  [{ verb: "PUT" }, "PUT", false],
  [{ verb: "DELETE", access: "user", requireFresh: true }, "DELETE", false],
])("a method with %j has the verb %s and readOnly: %s", (definition, verb, readOnly) => {
  expect(define(definition)).toMatchObject({ verb, readOnly });
});

const password = secret(z.string());

test.each([
  [{ verb: "get" }, 'received "get". Expected GET, POST, PUT, PATCH, or DELETE'],
  [{ verb: "HEAD" }, 'received "HEAD"'],
  [{ verb: "constructor" }, 'received "constructor"'],
  [{ verb: ["GET"] }, 'received ["GET"]'],
  [{ verb: null }, "received null"],
  [{ verb: "GET", readOnly: false }, "readOnly: false"],
  [{ verb: "GET", signsIn: true }, "signsIn: true"],
  [{ verb: "GET", access: "user", requireFresh: true }, "requireFresh: true"],
  [{ verb: "PUT", readOnly: true }, "readOnly: true"],
  [{ verb: "DELETE", readOnly: true }, "readOnly: true"],
  [{ verb: "GET", input: password }, "secret()"],
  [{ verb: "GET", input: z.strictObject({ a: z.array(password.optional()) }) }, "secret()"],
  [{ verb: "GET", access: "public", input: z.lazy(() => password) }, "secret()"],
  [{ verb: "GET", input: secret(v.string()) }, "secret()"],
])("rejects a method with %j: %s", (definition, message) => {
  expect(() => define(definition)).toThrow(TypeError);
  expect(() => define(definition)).toThrow(message);
});

test("accepts a method whose payload has secrets with another verb", () => {
  for (const verb of ["POST", "PUT", "PATCH", "DELETE"]) {
    expect(define({ verb, input: password }).verb).toBe(verb);
  }
});

test("a copy of a method can't have a verb that its other options exclude", () => {
  const login = defineRpcMethod({ signsIn: true, handler: () => 1 });
  const read = defineRpcMethod({ readOnly: true, handler: () => 1 });
  const methods = { login: { ...login, verb: "GET" }, read: { ...read, verb: "DELETE" } } as const;
  const start = () => createStorefront(testConfig({ methods }), { production: false });
  expect(start).toThrow(/methods\.login: [^]*a verb that fits the other options.*readOnly: false/);
  expect(start).toThrow(/methods\.read: [^]*a verb that fits the other options.*readOnly: true/);
});
