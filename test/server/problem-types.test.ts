import { describe, expect, test } from "vitest";
import { RpcError, type ProblemCode } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createSetup } from "../_setup.ts";
import { from, json } from "../_wire.ts";

const pages = "https://docs.shop.example/errors/";
const token = "an-admin-token-for-tests-of-32-characters";
const methods = {
  refuse: defineRpcMethod({
    handler(): never {
      throw new RpcError("sold_out", { status: 409, title: "This variant is sold out" });
    },
  }),
  find: defineRpcMethod({
    handler(): never {
      throw new RpcError("unknown_item");
    },
  }),
};

const post = (body: unknown, headers: Record<string, string> = json) => ({
  method: "POST",
  headers,
  body: JSON.stringify(body),
});

/** Requests that fail, from all parts of the server that respond to them. */
const failures: readonly [path: string, init: RequestInit, code: ProblemCode][] = [
  ["/api/rpc/addItemToBasket", post({ payload: { variantId: 7 } }), "invalid_input"],
  ["/api/rpc/find", post({}), "unknown_item"],
  ["/api/rpc/getNothing", post({}), "unknown_method"],
  ["/api/rpc/getBasket/", post({}), "unknown_path"],
  ["/api/rpc/getBasket", post({}, from("https://other.example")), "foreign_origin"],
  ["/api/rpc/getBasket", { headers: json }, "wrong_verb"],
  ["/api/rpc", { headers: json }, "wrong_verb"],
  ["/fr/api/rpc/getBasket", post({}, {}), "unknown_shop"],
  ["/api/admin/endUserSessions", post({}), "not_an_operator"],
  ["/api/openapi.json", { ...post({}), headers: json }, "wrong_verb"],
  ["/nothing", {}, "unknown_path"],
];

describe.each(["request", "server"] as const)("the type of a problem · %s", (server) => {
  const { start } = createSetup("memory", server, () => ({ driver: "memory" }));

  test.each(failures)("links to the page of the error: %s (%#)", async (path, init, code) => {
    const { send } = await start({ problemTypes: pages, admin: { token }, methods });
    const { type, code: sent } = (await (await send(path, init)).json()) as Record<string, string>;
    expect([sent, type]).toEqual([code, `${pages}${code}.html`]);
  });

  test("links to the page of the error in each result of a batch", async () => {
    const { send } = await start({ problemTypes: "/errors/", methods });
    const calls = ["getNothing", "find", "refuse", "logout"].map((method) => ({ method }));
    const response = await send("/api/rpc", post(calls));
    const results = (await response.json()) as { readonly body: { readonly type: string } }[];
    expect(results.map(({ body }) => body.type)).toEqual([
      "/errors/unknown_method.html",
      "/errors/unknown_item.html",
      "about:blank",
      "/errors/not_batchable.html",
    ]);
  });

  test("stays about:blank for a code of a method's own", async () => {
    const { client } = await start({ problemTypes: pages, methods });
    expect((await client().call("refuse")).body.type).toBe("about:blank");
  });

  test("links to the page of draining while the server shuts down", async () => {
    const { app, send } = await start({ problemTypes: pages });
    app.drain();
    const response = await send("/readyz", {});
    expect(await response.json()).toMatchObject({ type: `${pages}draining.html` });
  });
});
