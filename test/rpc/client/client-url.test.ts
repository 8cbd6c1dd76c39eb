import { describe, expect, test } from "vitest";
import type { BuiltinMethods } from "../../../rpc/methods/builtin.ts";
import { createRpcClient, type RpcClientOptions } from "../../../rpc/client.ts";
import { toFetch } from "../../_fetch.ts";

describe("a client sends its calls to", () => {
  test.each([
    ["the server's URL", { baseURL: "https://shop.example" }, "https://shop.example/api"],
    ["a URL with a slash", { baseURL: "https://shop.example/" }, "https://shop.example/api"],
    ["a URL with slashes", { baseURL: "https://shop.example//" }, "https://shop.example/api"],
    ["a URL with a path", { baseURL: "https://x.example/shop" }, "https://x.example/shop/api"],
    ["a path and a slash", { baseURL: "https://x.example/shop/" }, "https://x.example/shop/api"],
    ["the page's origin", { baseURL: "" }, "/api"],
    ["a path of the page's origin", { baseURL: "/shop" }, "/shop/api"],
    ["the root of the page's origin", { baseURL: "/" }, "/api"],
    ["a base path without its slash", { baseURL: "", basePath: "api" }, "/api"],
    ["a base path with a slash more", { baseURL: "", basePath: "/api/" }, "/api"],
    [
      "a base path of two folders",
      { baseURL: "https://x.example", basePath: "a/b" },
      "https://x.example/a/b",
    ],
    [
      "a base path that is empty",
      { baseURL: "https://x.example", basePath: "" },
      "https://x.example",
    ],
    [
      "a base path that is a slash",
      { baseURL: "https://x.example", basePath: "/" },
      "https://x.example",
    ],
  ] satisfies [string, Omit<RpcClientOptions, "shopId">, string][])(
    "%s",
    async (_, options, expected) => {
      const asked: string[] = [];
      const fetch = toFetch((url) => {
        asked.push(url);
        return Response.json({});
      });
      await createRpcClient<BuiltinMethods>({ shopId: 1001, ...options, fetch }).getUser();
      expect(asked).toEqual([`${expected}/rpc/getUser`]);
    },
  );

  test("gives a framework's fetch plain headers, because some drop a Headers object", async () => {
    const given: RequestInit[] = [];
    const fetch = toFetch((_, init) => {
      given.push(init);
      return Response.json({});
    });
    const headers = { "X-Trace": "1" };
    await createRpcClient<BuiltinMethods>({ baseURL: "", shopId: 1001, headers, fetch }).getUser();
    expect(given[0]?.headers).toEqual({
      accept: "*/*, application/vnd.storefront-redirect+json",
      "content-type": "application/json",
      "x-shop-id": "1001",
      "x-trace": "1",
    });
  });
});
