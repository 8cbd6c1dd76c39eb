import type { StandardSchemaV1 } from "@standard-schema/spec";
import { afterEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import type { BuiltinMethods } from "../../../rpc/methods/builtin.ts";
import { createRpcClient, RpcClientError, type RpcClientOptions } from "../../../rpc/client.ts";
import { RpcError } from "../../../rpc/error.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { RpcMethods } from "../../../rpc/method.ts";
import { createSetup } from "../../_setup.ts";
import { createBrowser } from "../../_browser.ts";

const methods = {
  greet: defineRpcMethod({
    input: z.strictObject({ name: z.string() }),
    handler: ({ name }) => `Hello ${name}`,
  }),
  now: defineRpcMethod({
    handler: () => ({ at: new Date(0), notes: [undefined, 1], none: undefined }),
  }),
  nothing: defineRpcMethod({ handler: () => null }),
  remember: defineRpcMethod({
    input: z.record(z.string(), z.json()).optional(),
    handler(fields = {}, { customData, updateCustomData }) {
      updateCustomData(fields);
      return customData;
    },
  }),
  refuse: defineRpcMethod({
    handler() {
      const errors = [{ path: ["size", 0], message: "Only XS is left" }];
      throw new RpcError("sold_out", { status: 409, title: "Sold out", detail: "Sorry", errors });
    },
  }),
};
type Methods = BuiltinMethods & typeof methods;

const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));

describe("a client", () => {
  test("calls the built-in methods and those of the deployment, in one session", async () => {
    const { app } = await start({ methods });
    const client = createClient<Methods>({ fetch: createBrowser(app) });
    expect(await client.getUser()).toEqual({});
    expect(await client.greet({ name: "Ada" })).toBe("Hello Ada");
    await client.remember({ colour: "red" });
    expect(await client.remember()).toEqual({ colour: "red" });
    const { basket } = await client.addItemToBasket({ variantId: 7, quantity: 2 });
    expect((await client.getBasket()).basket).toEqual(basket);
    const { user } = await client.register({ email: "a@example.com", password: "correct horse" });
    expect(await client.getUser()).toEqual({ user });
    expect(await client.logout()).toBeUndefined();
    expect(await client.getUser()).toEqual({});
  });

  test("returns a method's result, and undefined for none", async () => {
    const { app } = await start({ methods });
    const client = createClient<Methods>({ fetch: createBrowser(app) });
    expect(await client.now()).toStrictEqual({ at: "1970-01-01T00:00:00.000Z", notes: [null, 1] });
    expect(await client.nothing()).toBeUndefined();
  });

  test("calls one shop, under any base path", async () => {
    const { app } = await start({ methods, basePath: "/shop/api" });
    const fetch = createBrowser(app);
    for (const shopId of [1001, 1002]) {
      const client = createClient<Methods>({ fetch, shopId, basePath: "/shop/api" });
      expect((await client.getShopConfiguration()).shopId).toBe(shopId);
    }
    const unknown = createClient<Methods>({ fetch, shopId: 9, basePath: "/shop/api" });
    expect(await failure(unknown.getUser())).toMatchObject({ status: 404, code: "unknown_shop" });
  });

  test("sends the headers that the server requires", async () => {
    const fetch = createFetch(null);
    const baseURL = "https://shop.example";
    const client = createRpcClient<Methods>({
      baseURL,
      shopId: 1001,
      headers: { authorization: "Basic 42", "x-trace": "1" },
      fetch,
    });
    await client.greet({ name: "Ada" });
    const { getUser } = client;
    await getUser();
    const [first, second] = fetch.mock.calls.map(([request]) => request) as [Request, Request];
    expect(first).toMatchObject({ method: "POST", credentials: "include" });
    expect(first.url).toBe(`${baseURL}/api/rpc/greet`);
    expect(Object.fromEntries(first.headers)).toEqual({
      authorization: "Basic 42",
      accept: "*/*, application/vnd.storefront-redirect+json",
      "content-type": "application/json",
      "idempotency-key": expect.stringMatching(/^[\da-f-]{36}$/),
      "x-shop-id": "1001",
      "x-trace": "1",
    });
    expect(await first.json()).toEqual({ payload: { name: "Ada" } });
    expect(await second.json()).toEqual({});
  });

  test("sends its own shop and content type, whatever other headers it gets", async () => {
    const fetch = createFetch(null);
    const headers = { "X-Shop-Id": "9", "Content-Type": "text/plain", "x-shop-id": "8" };
    await createClient<Methods>({ fetch, headers }).getUser();
    const sent = fetch.mock.calls[0]?.[0].headers;
    expect(sent?.get("x-shop-id")).toBe("1001");
    expect(sent?.get("content-type")).toBe("application/json");
  });

  test("uses the global fetch if it gets none", async () => {
    const fetch = createFetch({ user: { id: 7 } });
    vi.stubGlobal("fetch", fetch);
    const client = createRpcClient<Methods>({ baseURL: "https://shop.example", shopId: 1001 });
    expect(await client.getUser()).toEqual({ user: { id: 7 } });
    expect(fetch).toHaveBeenCalledOnce();
  });

  test("can be awaited and inspected without a call of the server", async () => {
    const fetch = createFetch(null);
    const client = createClient<Methods>({ fetch });
    expect(await client).toBe(client);
    expect(await Promise.resolve(client)).toBe(client);
    const strange = client as unknown as Record<PropertyKey, unknown>;
    for (const name of ["then", Symbol.toPrimitive, Symbol.iterator, Symbol.toStringTag]) {
      expect(strange[name]).toBeUndefined();
    }
    expect(fetch).not.toHaveBeenCalled();
  });
});

afterEach(() => void vi.unstubAllGlobals());

describe("a call of a client that fails", () => {
  test("throws an error with the fields of the response", async () => {
    const { app } = await start({ methods });
    const client = createClient<Methods>({ fetch: createBrowser(app) });
    const error = await failure(client.refuse());
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "RpcClientError",
      message: "Sold out",
      status: 409,
      code: "sold_out",
      detail: "Sorry",
      errors: [{ path: ["size", 0], message: "Only XS is left" }],
    });
    const invalid = await failure(client.greet({ name: 5 } as never));
    expect(invalid).toMatchObject({ status: 422, code: "invalid_input" });
    expect(invalid.errors).toMatchObject([{ path: ["name"] }]);
    const guest = await failure(client.listSessions());
    expect(guest).toMatchObject({ status: 401, code: "not_logged_in", errors: [] });
    expect(guest.detail).toBeUndefined();
  });

  test.each([
    ["a proxy's page", 502, "text/html", "<h1>Bad Gateway</h1>"],
    ["JSON that is no problem", 404, "application/json", '{"title":"t","code":"c"}'],
    ["an empty answer", 500, "", ""],
    ["half a problem", 500, "application/problem+json", '{"title":"Someth'],
    ["a problem of another system's", 429, "application/problem+json", '{"status":429}'],
    ["a page in place of an answer", 200, "text/html", "<h1>Log in to the Wi-Fi</h1>"],
    ["half an answer", 200, "application/json", '{"user":'],
  ])("throws no_problem if the response is %s", async (_, status, type, body) => {
    const fetch = async () => new Response(body, { status, headers: { "content-type": type } });
    const error = await failure(createClient<Methods>({ fetch }).getUser());
    expect(error).toMatchObject({ status, code: "no_problem", errors: [] });
    expect(error.message).toContain(String(status));
  });

  test("throws the error of fetch if no response came", async () => {
    const broken = new TypeError("fetch failed");
    const client = createClient<Methods>({ fetch: () => Promise.reject(broken) });
    await expect(client.getUser()).rejects.toBe(broken);
  });
});

describe("a method's schemas", () => {
  test("reject a result that doesn't match the output schema: 500, with details in the log only", async () => {
    allowErrors();
    const output = z.strictObject({ price: z.number() });
    const wrong = { price: "4711 euro" } as unknown as { price: number };
    const price = defineRpcMethod({ output, handler: () => wrong });
    const { client, lines } = await start({ methods: { price } });
    const answer = await client().call("price");
    expect(answer).toMatchObject({ status: 500, body: { code: "internal_error" } });
    expect(JSON.stringify(answer.body)).not.toMatch(/price|4711/);
    const [line] = lines.filter(({ level }) => level === "error");
    expect(String(line?.details?.["error"])).toMatch(/price.*output schema.*price/);
  });

  test("return the result as parsed by the output schema", async () => {
    const output = z.object({ price: z.number().transform((cents) => `${cents / 100} €`) });
    const price = defineRpcMethod({
      output,
      handler: () => Object.assign({ price: 250 }, { margin: 0.4 }),
    });
    const { client } = await start({ methods: { price } });
    expect((await client().call("price")).body).toEqual({ price: "2.5 €" });
  });

  test.each(["at once", "later"])(
    "accepts any Standard Schema, also one that returns %s",
    async (when) => {
      const schema: StandardSchemaV1<string, number> = {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value) =>
            when === "later" ? Promise.resolve(value).then(toNumber) : toNumber(value),
        },
      };
      const double = defineRpcMethod({ input: schema, handler: (digits) => digits * 2 });
      const { client } = await start({ methods: { double } });
      expect((await client().call("double", "21")).body).toBe(42);
      const refused = await client().call("double", "x");
      expect(refused).toMatchObject({ status: 422, body: { code: "invalid_input" } });
      expect(refused.body.errors).toEqual([{ path: ["a", 0, 1, "b"], message: "No digits" }]);
    },
  );

  test("fail the call with 500 if a schema throws", async () => {
    allowErrors();
    const input = z.unknown().transform(() => {
      throw new Error("redis://user:pw@host");
    });
    const { client } = await start({
      methods: { broken: defineRpcMethod({ input, handler: () => 1 }) },
    });
    const answer = await client().call("broken", 1);
    expect(answer).toMatchObject({ status: 500, body: { code: "internal_error" } });
    expect(JSON.stringify(answer.body)).not.toContain("redis");
  });
});

// --- Internal helpers ---

/** A client of the first shop of the tests. */
function createClient<M extends RpcMethods>(options: Partial<RpcClientOptions>) {
  return createRpcClient<M>({ baseURL: "http://localhost", shopId: 1001, ...options });
}

/** A `fetch` that always answers the same. */
function createFetch(answer: unknown) {
  return vi.fn<(request: Request) => Promise<Response>>(async () => Response.json(answer));
}

async function failure(call: Promise<unknown>): Promise<RpcClientError> {
  const error = await call.then(
    () => new Error("The call succeeded"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RpcClientError);
  return error as RpcClientError;
}

function toNumber(value: unknown): StandardSchemaV1.Result<number> {
  return typeof value === "string" && /^\d+$/.test(value)
    ? { value: Number(value) }
    : { issues: [{ message: "No digits", path: [{ key: "a" }, 0, { key: 1 }, "b"] }] };
}
