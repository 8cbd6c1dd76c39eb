import { STATUS_CODES } from "node:http";
import { expect, test } from "vitest";
import { problems, RpcError } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { toReasonPhrase } from "../../server/reason-phrase.ts";
import { describeServers } from "../_setup.ts";
import { bare, json } from "../_wire.ts";

const methods = {
  echo: defineRpcMethod({ handler: () => "text" }),
  nothing: defineRpcMethod({ handler: () => undefined }),
  refuse: defineRpcMethod({
    handler() {
      throw new RpcError("out_of_stock", { status: 409, title: "Sold out" });
    },
  }),
  see: defineRpcMethod({ handler: () => Response.redirect("https://pay.example/", 303) }),
  own: defineRpcMethod({
    handler: () => new Response("tea", { status: 418, statusText: "Teapot" }),
  }),
};

describeServers("the reason phrase", ({ start }) => {
  test.each([
    ["api/rpc/echo", "200 OK"],
    ["api/rpc/nothing", "204 No Content"],
    ["api/rpc/refuse", "409 Conflict"],
    ["api/rpc/see", "303 See Other"],
    ["api/rpc/own", "418 Teapot"],
    ["api/rpc/unknown", "404 Not Found"],
    ["healthz", "405 Method Not Allowed"],
  ])("fits the status for a POST to /%s: %s", async (path, expected) => {
    const { send } = await start({ methods });
    const init = { method: "POST", headers: json, body: "{}", redirect: "manual" } as const;
    const { status, statusText } = await send(`/${path}`, init);
    expect(`${status} ${statusText}`).toBe(expected);
  });

  test("comes with health checks, batches, and calls by other HTTP methods", async () => {
    const { send } = await start({ methods });
    expect((await send("/healthz", {})).statusText).toBe("OK");
    expect((await send("/de/api/rpc/getShopConfiguration", {})).statusText).toBe("OK");
    const wrong = await send("/api/rpc/echo", { method: "PUT", headers: bare });
    expect(wrong.statusText).toBe("Method Not Allowed");
    const body = JSON.stringify([{ method: "echo" }]);
    const batch = await send("/api/rpc", { method: "POST", headers: json, body });
    expect(batch.statusText).toBe("OK");
  });
});

test("exists for each status of a problem", () => {
  const missing = Object.values(problems).filter(([status]) => toReasonPhrase(status) === "");
  // nginx made this one up.
  expect(missing.map(([status]) => status)).toEqual([499]);
});

test("matches Node's, or is a newer one", () => {
  const renamed = { 413: "Payload Too Large", 422: "Unprocessable Entity" };
  const differing = Object.entries(STATUS_CODES).filter(([status, phrase]) => {
    const ours = toReasonPhrase(Number(status));
    return ours !== "" && ours !== phrase;
  });
  expect(Object.fromEntries(differing)).toEqual(renamed);
});
