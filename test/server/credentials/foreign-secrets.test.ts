import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import * as zm from "zod/mini";
import * as z3 from "zod/v3";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { secret } from "../../../rpc/redaction/secret.ts";
import { createSetup } from "../../_setup.ts";

/** A Standard Schema with its own validation. */
function ownSchema(parts: object): StandardSchemaV1 {
  return {
    ...parts,
    "~standard": { version: 1, vendor: "own", validate: (value) => ({ value }) },
  };
}

const define = (input: StandardSchemaV1) => defineRpcMethod({ input, handler: () => 1 });

describe("secret() on a part of a schema that is not zod 4's", () => {
  test.each<[string, () => StandardSchemaV1]>([
    ["zod 3", () => z3.object({ user: z3.object({ pin: secret(z3.string()) }) })],
    ["zod 3, refined", () => z3.object({ pin: secret(z3.string()).min(4) })],
    [
      "zod 3, optional in a list",
      () => z3.array(z3.object({ pin: secret(z3.string()).optional() })),
    ],
    [
      "zod 3, lazy",
      () => z3.object({ user: z3.lazy(() => z3.object({ pin: secret(z3.string()) })) }),
    ],
    ["zod 3, a union", () => z3.union([z3.number(), secret(z3.string())])],
    ["valibot", () => v.object({ user: v.object({ pin: secret(v.string()) }) })],
    ["valibot, in a pipe", () => v.object({ pin: v.pipe(secret(v.string()), v.minLength(4)) })],
    [
      "valibot, optional in a list",
      () => v.array(v.object({ pin: v.optional(secret(v.string())) })),
    ],
    [
      "valibot, lazy",
      () => v.object({ user: v.lazy(() => v.object({ pin: secret(v.string()) })) }),
    ],
    ["valibot, with a fallback", () => v.object({ pin: v.fallback(secret(v.string()), "") })],
    ["arktype", () => type({ user: { pin: secret(type("string > 17")) } })],
    ["arktype, described", () => type({ pin: secret(type("string")).describe("a pin") })],
    ["arktype, in a list", () => type({ pins: secret(type("string")).array() })],
    ["another", () => ownSchema({ parts: new Map([["pin", secret(ownSchema({}))]]) })],
  ])("rejects secret() on a part of another vendor's schema: %s", (_, make) => {
    expect(() => define(make())).toThrow(/secret\(\) marks a part .* zod 4/);
  });

  test.each<[string, () => StandardSchemaV1]>([
    ["zod 3", () => z3.object({ user: z3.object({ pin: z3.string() }) })],
    ["valibot", () => v.object({ user: v.object({ pin: v.string() }) })],
    ["arktype", () => type({ user: { pin: "string" } })],
    ["another, with a circle", () => ownSchema(createCircle())],
  ])("causes no error without a mark, or if the whole schema is marked: %s", (_, make) => {
    expect(() => define(make())).not.toThrow();
    expect(() => define(secret(make()))).not.toThrow();
    expect(() => define(make())).not.toThrow();
  });

  test("marks only the given schema as a secret, not an equal one", () => {
    secret(type("string"));
    expect(() => define(type({ name: "string" }))).not.toThrow();
  });

  test("accepts secret() on parts of schemas from every zod 4", () => {
    expect(() => define(z.object({ pin: secret(z.string()).min(4) }))).not.toThrow();
    expect(() => define(zm.object({ pin: secret(zm.string()) }))).not.toThrow();
  });
});

describe("secret() on the whole input of another vendor", () => {
  const { allowErrors, start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each<[string, () => StandardSchemaV1<{ pin: string }>]>([
    ["zod 3", () => secret(z3.object({ pin: z3.string() }))],
    ["valibot", () => secret(v.object({ pin: v.string() }))],
    ["valibot, copied", () => v.fallback(secret(v.object({ pin: v.string() })), { pin: "" })],
    ["arktype", () => secret(type({ pin: "string" }))],
  ])("keeps it out of hooks, logs and problems: %s", async (_, make) => {
    allowErrors();
    const told: unknown[] = [];
    const { lines, client } = await start({
      hooks: { "storefront:rpc:before": ({ payload }) => void told.push(payload) },
      methods: {
        fail: defineRpcMethod({
          input: make(),
          handler({ pin }, { log }) {
            log.warn(`pin ${pin}`, { pin });
            throw new Error(`bad ${pin}`);
          },
        }),
      },
    });
    await client().call("fail", { pin: "zqjxvkwp" });
    expect(told).toEqual(["[redacted]"]);
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain("zqjxvkwp");
  });
});

// --- Internal helpers ---

function createCircle(): object {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  return circle;
}
