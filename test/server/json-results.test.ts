import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { findJsonFault } from "../../storage/documents/json-fault.ts";
import { createSetup } from "../_setup.ts";

const circle: { inner: { self?: unknown } } = { inner: {} };
circle.inner.self = circle;

class Money {
  readonly amount: number;
  constructor(amount: number) {
    this.amount = amount;
  }
}

class Sealed {
  readonly #content = 1;
  read(): number {
    return this.#content;
  }
}

const deep = Array.from({ length: 400 }).reduce<unknown>((inner) => ({ inner }), 1);

describe("a result that JSON can't represent", () => {
  const { allowErrors, start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each<[string, unknown, string, string]>([
    ["a Map", new Map([["a", 1]]), "", "a Map"],
    ["a Set in a list", { tags: [new Set(["a"])] }, "tags[0]", "a Set"],
    ["NaN", { items: [{ price: 1 }, { price: NaN }] }, "items[1].price", "NaN"],
    ["Infinity", [Infinity], "[0]", "Infinity"],
    ["a bigint", { total: 10n }, "total", "a bigint"],
    ["a function", { act: () => 1 }, "act", "a function"],
    ["a function itself", () => 1, "", "a function"],
    ["a symbol", { a: Symbol("a") }, "a", "a symbol"],
    ["a stream", new Blob(["a"]).stream(), "", "a ReadableStream"],
    ["a Blob", { file: new Blob(["abc"]) }, "file", "a Blob"],
    ["a nested Response", { answer: Response.json(1) }, "answer", "a Response"],
    ["a generator", (function* () {})(), "", "Generator"],
    ["an async generator", (async function* () {})(), "", "AsyncGenerator"],
    ["a promise that nobody awaited", { user: Promise.resolve(1) }, "user", "a Promise"],
    ["an Error", { cause: new Error("a") }, "cause", "a Error"],
    [
      "an Error with fields",
      { cause: Object.assign(new Error("a"), { code: 1 }) },
      "cause",
      "Error",
    ],
    ["a RegExp", { pattern: /a/ }, "pattern", "a RegExp"],
    ["search parameters", { at: new URLSearchParams("a=1") }, "at", "a URLSearchParams"],
    ["bytes", { bytes: new Uint8Array([1]) }, "bytes", "a Uint8Array"],
    ["an invalid Date", { at: new Date(NaN) }, "at", "an invalid Date"],
    ["an object of private fields", { sealed: new Sealed() }, "sealed", "a Sealed"],
    ["what toJSON gives", { at: { toJSON: () => ({ price: NaN }) } }, "at.price", "NaN"],
    ["a circle", circle, "inner.self.inner", "a circle"],
  ])("becomes a 500, and a log line names the value: %s", async (_, result, path, found) => {
    allowErrors();
    const { lines, client } = await start({
      methods: { answer: defineRpcMethod({ handler: () => result }) },
    });
    const user = client();
    const answer = await user.call("answer");
    expect(answer).toMatchObject({ status: 500, body: { code: "internal_error" } });
    expect(JSON.stringify(answer.body)).not.toContain(found);
    const [line] = lines.filter(({ level }) => level === "error");
    expect(line?.details).toMatchObject({ method: "answer" });
    expect(String(line?.details?.["error"])).toContain(path);
    expect(String(line?.details?.["error"])).toContain(found);
  });

  test("saves no change of the session", async () => {
    allowErrors();
    const { client } = await start({
      methods: {
        answer: defineRpcMethod({
          handler(_, { updateCustomData }) {
            updateCustomData({ lastCampaign: "spring" } as object);
            return new Map();
          },
        }),
      },
    });
    const answer = await client().call("answer");
    expect(answer).toMatchObject({ status: 500, setCookies: [] });
  });
});

describe("a result that JSON can represent", () => {
  test.each<[string, unknown]>([
    ["members that are undefined", { a: undefined, b: [undefined] }],
    ["a Date", { at: new Date(0) }],
    ["a URL", new URL("https://shop.example")],
    ["a Buffer", Buffer.from("a")],
    ["toJSON of one's own", { toJSON: () => ({ a: 1 }) }],
    ["toJSON that gives the object itself", Object.assign({ a: 1 }, { toJSON: () => circleOf() })],
    ["an object of a class", [new Money(1)]],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
    ["an object of a primitive", [Object("a"), Object(1), Object(true)]],
    ["one object twice", [circleOf(), circleOf()]],
    ["400 levels", deep],
    ["-0, null, false and the empty text", [-0, null, false, ""]],
    ["nothing", undefined],
  ])("matches JSON.stringify: %s", async (_, result) => {
    expect(findJsonFault(result)).toBeUndefined();
  });
});

// --- Internal helpers ---

function circleOf() {
  return { a: 1 };
}
