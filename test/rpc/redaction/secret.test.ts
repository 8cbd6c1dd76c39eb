import { inspect } from "node:util";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { builtinMethods } from "../../../rpc/methods/builtin.ts";
import type { BaseRpcContext } from "../../../rpc/context.ts";
import { RpcError } from "../../../rpc/error.ts";
import type { HookEvent, Hooks } from "../../../rpc/hooks.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { Redactor } from "../../../rpc/redaction/redactor.ts";
import { maskSecrets, secret } from "../../../rpc/redaction/secret.ts";
import { createSetup } from "../../_setup.ts";

const pin = secret(z.string());
const hidden = "[redacted]";

interface Chain {
  readonly pin?: string | undefined;
  readonly next?: Chain | undefined;
}
const chain: z.ZodType<Chain> = z.lazy(() =>
  z.object({ pin: pin.optional(), next: chain.optional() }),
);

describe("maskSecrets finds secrets", () => {
  const a = { pin: "hunter2" };
  const none = { pin: hidden };
  const cases: [what: string, schema: z.ZodType, payload: unknown, masked: unknown][] = [
    ["in itself", pin, "hunter2", hidden],
    ["in an object", z.object({ a: z.string(), pin }), { a: "b", ...a }, { a: "b", ...none }],
    ["in an array", z.array(z.object({ pin })), [a, a], [none, none]],
    ["in a record", z.record(z.string(), pin), { x: "hunter2" }, { x: hidden }],
    ["in the keys of a record", z.record(pin, z.string()), { hunter2: "x" }, hidden],
    ["in a tuple", z.tuple([z.string(), pin]), ["a", "hunter2"], ["a", hidden]],
    ["in a tuple's rest", z.tuple([z.string()], pin), ["a", "hunter2"], ["a", hidden]],
    ["behind optional", z.object({ pin: pin.optional() }), a, none],
    ["behind nullable", z.object({ pin: pin.nullable() }), a, none],
    ["behind default", z.object({ pin: pin.default("") }), a, none],
    ["behind prefault", z.object({ pin }).prefault(a), a, none],
    ["behind readonly", z.object({ pin }).readonly(), a, none],
    ["behind catch", z.object({ pin: pin.catch("") }), a, none],
    ["behind a transformation", z.object({ pin: pin.transform(Number) }), a, none],
    ["before a pipe", z.object({ pin: pin.pipe(z.string()) }), a, none],
    ["after a pipe", z.preprocess((value) => value, z.object({ pin })), a, none],
    ["in one of a union", z.union([z.string(), z.object({ pin })]), a, none],
    ["in one of two like it", z.union([z.object({ b: z.string() }), z.object({ pin })]), a, none],
    [
      "in an intersection",
      z.intersection(z.object({ b: z.any() }), z.object({ pin })),
      { b: 1, ...a },
      { b: 1, ...none },
    ],
    ["in what refers to itself", chain, { next: { next: a } }, { next: { next: none } }],
    [
      "in what was made of a marked one",
      z.object({ pin: pin.trim().min(2).describe("a") }),
      a,
      none,
    ],
    [
      "in an object that was marked whole",
      secret(z.object({ b: z.array(z.string()) })),
      { b: ["hunter2"] },
      hidden,
    ],
    ["in what a map would take", z.map(z.string(), pin), ["hunter2"], hidden],
  ];

  test.each(cases)("%s", (_, schema, payload, masked) => {
    const found = maskSecrets(schema, payload);
    expect(found.masked).toEqual(masked);
    const redactor = new Redactor();
    redactor.addSource(() => found.secrets);
    expect(redactor.redact("with hunter2 in it")).toBe(`with ${hidden} in it`);
  });

  test.each([
    [z.object({ pin }), "hunter2", hidden],
    [z.object({ pin }), ["hunter2"], hidden],
    [
      z.object({ user: z.string(), pin }),
      { user: "a", pni: "hunter2" },
      { user: "a", pni: hidden },
    ],
    [z.strictObject({ pin }), { pin: { deep: "hunter2" } }, { pin: hidden }],
    [z.array(pin), { 0: "hunter2" }, hidden],
    [z.union([z.object({ pin }), z.array(pin)]), "hunter2", hidden],
  ])("in unexpected positions: %#", (schema, payload, masked) => {
    const { masked: shown, secrets } = maskSecrets(schema, payload);
    expect(shown).toEqual(masked);
    expect(inspect(secrets)).toContain("hunter2");
  });

  test.each([
    [z.object({ a: z.string() }), { a: "b", c: "d" }],
    [z.string(), { no: "string" }],
    [z.looseObject({ pin: pin.optional() }), { a: "b" }],
    [
      z.discriminatedUnion("t", [
        z.object({ t: z.literal("a"), pin }),
        z.object({ t: z.literal("b"), c: z.any() }),
      ]),
      { t: "b", c: "d" },
    ],
    [z.object({ pin: pin.nullish() }), { pin: null }],
  ])("without false matches: %#", (schema, payload) => {
    expect(maskSecrets(schema, payload)).toEqual({ masked: payload, secrets: [] });
  });

  test("among the passwords of the built-in methods", () => {
    const { register, updatePassword } = builtinMethods;
    const passwords = { oldPassword: "hunter2!", newPassword: "hunter3!" };
    const { secrets } = maskSecrets(updatePassword.input, passwords);
    expect(secrets).toEqual(["hunter2!", "hunter3!"]);
    const account = { email: "a@example.com", password: "hunter2!" };
    expect(maskSecrets(register.input, account).secrets).toEqual(["hunter2!"]);
  });

  test("through a mark that leaves the schema unchanged", () => {
    const schema = z.string().min(3);
    expect(secret(schema)).toBe(schema);
  });
});

const { allowErrors, start } = createSetup("memory", "request", () => ({ driver: "memory" }));

describe("a call", () => {
  const input = z.looseObject({ note: secret(z.string().trim()) });
  const methods = {
    quote: defineRpcMethod({ input, handler: quote }),
    quoteOpenly: defineRpcMethod({ access: "public", input, handler: quote }),
    quoteOther: defineRpcMethod({ input: secret(quoting(true)), handler: quote }),
    refuse: defineRpcMethod({ input: secret(quoting(false)), handler: () => "never" }),
    relay: defineRpcMethod({
      input: z.any(),
      handler: (payload, { callRpc }) => callRpc("quote", payload),
    }),
    crash: defineRpcMethod({ input, handler: crash }),
    crashOpenly: defineRpcMethod({ access: "public", input, handler: crash }),
    plain: defineRpcMethod({ input: quoting(true), handler: () => "done" }),
  };

  test.each(["quote", "quoteOpenly", "quoteOther", "refuse", "relay", "crash", "crashOpenly"])(
    "holds none of its secrets: %s",
    async (method) => {
      allowErrors();
      const { client, lines } = await start({ methods });
      const answer = await client().call(method, { note: "  hunter2 " });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify(answer.body)).not.toContain("hunter2");
      expect(inspect(lines, { depth: 20 })).not.toContain("hunter2");
      if (method === "quote") expect(answer.body.title).toBe(`No: {"note":"${hidden}"}`);
      if (method.startsWith("crash")) expect(inspect(lines)).toContain(`with ${hidden}`);
    },
  );

  test("keeps the server's own words, whatever a client sends as a secret", async () => {
    allowErrors();
    const { client, lines } = await start({ methods });
    const headers = { cookie: "a=crash; b=error; c=address" };
    const account = { email: "a@example.com", password: "password" };
    const { title } = (await client().call("login", account, headers)).body;
    expect(title).toBe("The email address or the password is wrong");
    await client().call("crash", { note: "1001" }, headers);
    expect(lines).toMatchObject([{ details: { method: "crash", shopId: 1001 } }]);
  });

  test("gives hooks the payload without secrets", async () => {
    const seen = new Map<string, unknown>();
    const spy = (name: string) => (call: HookEvent) => {
      seen.set(`${name} ${call.method}`, call.payload);
    };
    const hooks: Hooks = {
      "storefront:context:created": spy("created"),
      "storefront:rpc:before": spy("before"),
      "storefront:rpc:after": spy("after"),
      "storefront:rpc:error": spy("error"),
    };
    const { client } = await start({ methods, hooks });
    const guest = client();
    await guest.call("login", { email: "a@example.com", password: "hunter2!" });
    const masked = { email: "a@example.com", password: hidden };
    for (const name of ["created", "before", "error"]) {
      expect(seen.get(`${name} login`)).toEqual(masked);
    }
    await guest.call("login", { email: "a@example.com", pasword: "hunter2!" });
    expect(seen.get("error login")).toEqual({ email: "a@example.com", pasword: hidden });
    await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    expect(seen.get("after addItemToBasket")).toEqual({ variantId: 7, quantity: 1 });
    await guest.call("relay", { note: "x", other: ["hunter2"], apiKeySecret: "hunter2" });
    const relayed = { note: "x", other: [hidden], apiKeySecret: hidden };
    expect(seen.get("before relay")).toEqual(relayed);
    expect(seen.get("before quote")).toEqual({ ...relayed, note: hidden });
    await guest.call("plain", { note: "x" });
    await guest.call("quoteOther", { note: "x" });
    await guest.call("getUser", { note: "x" });
    expect(seen.get("after plain")).toBeUndefined();
    expect(seen.get("before quoteOther")).toBe(hidden);
    expect(seen.get("after getUser")).toBeUndefined();
  });
});

// --- Internal helpers ---

/** A schema of another vendor that quotes invalid values in its errors. */
function quoting(accepts: boolean): StandardSchemaV1<{ note: string }> {
  const validate = (value: unknown) =>
    accepts
      ? { value: value as { note: string } }
      : { issues: [{ message: `Invalid: received ${JSON.stringify(value)}`, path: ["note"] }] };
  return { "~standard": { version: 1, vendor: "other", validate } };
}

/** A handler that says all that it was given. */
function quote(input: unknown, { log }: BaseRpcContext): never {
  log.warn(`Asked with ${JSON.stringify(input)}`, { input, list: [[input]] });
  throw new RpcError("quoted", {
    status: 400,
    title: `No: ${JSON.stringify(input)}`,
    detail: inspect(input),
    errors: [{ path: ["a"], message: inspect(input) }],
  });
}

function crash({ note }: { note: string }): never {
  throw new Error(`with ${note}`, { cause: new Error(`of ${note}`) });
}
