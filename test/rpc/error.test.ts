import { describe, expect, test } from "vitest";
import * as z from "zod";
import { RpcError } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { secret } from "../../rpc/redaction/secret.ts";
import { until } from "../_documents.ts";
import { createSetup } from "../_setup.ts";

const soldOut = { status: 409, title: "This variant is sold out" };

describe("an RpcError", () => {
  const { allowErrors, start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  async function answerTo(error: unknown) {
    const { lines, client } = await start({
      methods: {
        fail: defineRpcMethod({
          handler: () => {
            throw error;
          },
        }),
      },
    });
    return { answer: await client().call("fail"), lines };
  }

  test("sends its data to the client", async () => {
    const data = { remaining: 3, variants: [{ id: 7, at: new Date(0) }] };
    const { answer } = await answerTo(new RpcError("sold_out", { ...soldOut, data }));
    expect(answer.body).toEqual({
      type: "about:blank",
      ...soldOut,
      code: "sold_out",
      data: { remaining: 3, variants: [{ id: 7, at: "1970-01-01T00:00:00.000Z" }] },
    });
  });

  test.each([0, false, null, "", []])("carries data that is little: %j", async (data) => {
    const { answer } = await answerTo(new RpcError("sold_out", { ...soldOut, data }));
    expect(answer.body.data).toEqual(data);
  });

  test("sends data as JSON, at any depth", async () => {
    class Price {
      readonly #cents = 995;
      readonly currency = "EUR";
      toJSON() {
        return `${this.#cents / 100} ${this.currency}`;
      }
    }
    const deep = { a: { b: { c: { d: { e: { f: { g: { h: "below" } } } } } } } };
    const data = { price: new Price(), bytes: Buffer.from("a"), deep, none: undefined };
    const { answer } = await answerTo(new RpcError("sold_out", { ...soldOut, data }));
    const bytes = { type: "Buffer", data: [97] };
    expect(answer.body.data).toEqual({ price: "9.95 EUR", bytes, deep });
  });

  test.each([new Map([["left", 3]]), { left: NaN }, { left: 3n }])(
    "omits data that JSON can't represent, and logs it: %s",
    async (data) => {
      allowErrors();
      const { answer, lines } = await answerTo(new RpcError("sold_out", { ...soldOut, data }));
      expect(answer).toMatchObject({ status: 409, body: { code: "sold_out" } });
      expect(answer.body).not.toHaveProperty("data");
      expect(lines.filter(({ level }) => level === "error")).toHaveLength(1);
    },
  );

  test("sends no secret of its call in its data", async () => {
    const { client } = await start({
      methods: {
        fail: defineRpcMethod({
          input: z.object({ pin: secret(z.string()) }),
          handler({ pin }) {
            throw new RpcError("sold_out", { ...soldOut, data: { said: [`pin ${pin}`] } });
          },
        }),
      },
    });
    const { body } = await client().call("fail", { pin: "zqjxvkwp" });
    expect(body.data).toEqual({ said: ["pin [redacted]"] });
  });

  test("logs its cause at debug level, and never sends it", async () => {
    const cause = new Error("the warehouse said no");
    const { answer, lines } = await answerTo(new RpcError("sold_out", { ...soldOut, cause }));
    expect(JSON.stringify(answer.body)).not.toContain("warehouse");
    expect(lines).toMatchObject([
      {
        level: "debug",
        details: { method: "fail", code: "sold_out", cause: expect.stringContaining("warehouse") },
      },
    ]);
  });
});

describe("a client that disconnects", () => {
  const { allowErrors, start } = createSetup("memory", "server", () => ({ driver: "memory" }));

  /** Disconnects while a method runs; the method then throws the result of `toError`. */
  async function leave(toError: (reason: unknown) => unknown) {
    let begin!: () => void;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const { lines, send } = await start({
      methods: {
        wait: defineRpcMethod({
          async handler(_, { signal }) {
            await new Promise((resolve) => {
              signal.addEventListener("abort", resolve);
              begin();
            });
            throw toError(signal.reason);
          },
        }),
      },
    });
    const controller = new AbortController();
    const calling = send("/api/rpc/wait", {
      method: "POST",
      headers: { "content-type": "application/json", "x-shop-id": "1001" },
      body: "{}",
      signal: controller.signal,
    });
    await begun;
    controller.abort();
    await expect(calling).rejects.toThrow();
    await until(async () => lines.length > 0);
    return lines;
  }

  test.each<[string, (reason: unknown) => unknown]>([
    ["the reason itself", (reason) => reason],
    ["an error that it caused", (reason) => new Error("no stock", { cause: reason })],
    ["an AbortError of a library", () => Object.assign(new Error("x"), { name: "AbortError" })],
    ["axios' error", () => Object.assign(new Error("canceled"), { code: "ERR_CANCELED" })],
  ])("causes a debug line instead of an error if its method throws %s", async (_, toError) => {
    const lines = await leave(toError);
    expect(lines).toMatchObject([{ level: "debug", details: { code: "client_gone" } }]);
  });

  test("doesn't hide an error of the method", async () => {
    allowErrors();
    const [line] = await leave(() => new TypeError("cannot read x of undefined"));
    expect(line).toMatchObject({ level: "error", message: "A call failed" });
  });
});
