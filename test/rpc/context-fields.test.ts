import { inspect } from "node:util";
import { expect, test } from "vitest";
import { defineRpcMethod, type RpcContext } from "../../server/index.ts";
import { createSetup } from "../_setup.ts";

const memory = createSetup("memory", "request", () => ({ driver: "memory" }));

/** Runs a function in a method, with the method's context. @returns its result */
async function lookAt<Result>(look: (context: RpcContext) => Result): Promise<Result> {
  const results: Result[] = [];
  const method = defineRpcMethod({ handler: (_, context) => void results.push(look(context)) });
  const { client } = await memory.start({ methods: { method } });
  expect((await client().call("method")).status).toBe(204);
  return results[0] as Result;
}

test("a context prints its fields, also after a method has read some of them", async () => {
  const texts = await lookAt((context) => {
    const before = inspect(context);
    return [before, `${typeof context.updateUser} ${inspect(context)}`];
  });
  for (const text of texts) {
    expect(text).toContain("updateUser: [Function");
    expect(text).toContain("user: [Getter]");
  }
});

test("a context has its fields and those of any object, and no others", async () => {
  await lookAt((context) => {
    expect("user" in context).toBe(true);
    expect("User" in context).toBe(false);
    expect((context as { readonly User?: unknown }).User).toBeUndefined();
    expect(String(context)).toBe("[object Object]");
    expect(typeof context.constructor).toBe("function");
  });
});

test("a method can replace and remove functions of a context, but not its live values", async () => {
  await lookAt((context) => {
    const changed = context as { -readonly [Name in keyof RpcContext]?: unknown };
    const read = context.readBasket;
    changed.readBasket = 1;
    expect(changed.readBasket).toBe(1);
    changed.readBasket = read;
    expect(context.readBasket).toBe(read);
    delete changed.readBasket;
    expect(changed.readBasket).toBeUndefined();
    expect("readBasket" in context).toBe(false);
    expect(() => (changed.user = 1)).toThrow(TypeError);
    expect(context.user).toBeUndefined();
  });
});

test("a frozen context still reads its values", async () => {
  await lookAt((context) => {
    const { shop } = context;
    expect(Object.isFrozen(Object.freeze(context))).toBe(true);
    context.updateUser({ id: 7 });
    expect([context.user, context.shop]).toEqual([{ id: 7 }, shop]);
  });
});
