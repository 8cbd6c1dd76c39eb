import { HTTPError } from "h3";
import { expect, test } from "vitest";
import { RpcError } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { describeServers } from "../_setup.ts";
import { expectProblem, inside } from "../_wire.ts";

/** The same text in the log, without the password. */

/** The same text in the log, without the password. */
const logged = "connect ECONNREFUSED redis://user:[redacted]@host:6379";

describeServers("the errors of methods", ({ start, allowErrors }) => {
  const thrown: [what: string, error: unknown, logged: string][] = [
    ["an error", new Error(inside), logged],
    ["a text", inside, logged],
    ["nothing", undefined, "a thrown value that isn't an error: undefined"],
    ["a promise", new Promise(() => undefined), "a thrown value that isn't an error: object"],
    ["an h3 error of 5xx", new HTTPError({ status: 502, message: inside, data: inside }), logged],
  ];

  test.each(thrown)(
    "a 500 has only an ID for the log if the method throws %s",
    async (_, error, line) => {
      allowErrors();
      const throws = defineRpcMethod({ handler: () => Promise.reject(error) });
      const { client, lines } = await start({ methods: { throws } });
      const answer = await client().call("throws");
      const { instance } = answer.body;
      expect(instance).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
      const title = "Something went wrong on the server";
      const code = "internal_error";
      expect(answer.body).toEqual({ type: "about:blank", title, status: 500, code, instance });
      const errors = lines.filter(({ level }) => level === "error");
      expect(errors).toMatchObject([{ details: { instance, shopId: 1001, method: "throws" } }]);
      expect(errors[0]?.details?.["error"]).toContain(line);
    },
  );

  const unfit: [what: string, answer: unknown][] = [
    ["a BigInt", 1n],
    ["a circle", createCircle()],
  ];

  test.each(unfit)("a result that JSON can't represent becomes a 500: %s", async (_, value) => {
    allowErrors();
    const answers = defineRpcMethod({ handler: () => value });
    const reads = defineRpcMethod({ access: "public", readOnly: true, handler: () => value });
    const { client } = await start({ methods: { answers, reads } });
    for (const name of ["answers", "reads"]) {
      expectProblem(await client().call(name), "500 internal_error");
    }
  });

  test("a method responds with its own problem details", async () => {
    const errors = [{ path: ["size"], message: "Only XS is left" }];
    const refuse = defineRpcMethod({
      handler() {
        const own = { status: 429, title: "Sold out", detail: "Two were left", errors };
        throw new RpcError("sold_out", { ...own, headers: { "retry-after": "30" }, cause: inside });
      },
    });
    const { client } = await start({ methods: { refuse } });
    const answer = await client().call("refuse");
    expectProblem(answer, "429 sold_out");
    expect(answer.headers.get("retry-after")).toBe("30");
    expect(answer.body).toEqual({
      type: "about:blank",
      title: "Sold out",
      status: 429,
      code: "sold_out",
      detail: "Two were left",
      errors,
    });
  });
});

// --- Internal helpers ---

function createCircle(): object {
  const circle: { self?: object } = {};
  circle.self = circle;
  return circle;
}
