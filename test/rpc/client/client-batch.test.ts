import { describe, expect, test, vi } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { BuiltinMethods } from "../../../rpc/methods/builtin.ts";
import { createRpcClient, type RpcClientOptions } from "../../../rpc/client.ts";
import { createBrowser } from "../../_browser.ts";
import { createSetup } from "../../_setup.ts";

const invoice = vi.fn(() => new Response("%PDF"));
const methods = {
  invoice: defineRpcMethod({ handler: invoice }),
  getInvoice: defineRpcMethod({ readOnly: true, handler: invoice }),
  loginByPhone: defineRpcMethod({ signsIn: true, handler: () => "hello" }),
  fail: defineRpcMethod({
    handler() {
      throw new TypeError("inside");
    },
  }),
  key: defineRpcMethod({ handler: (_, { headers }) => headers.get("idempotency-key") }),
};
type Methods = BuiltinMethods & typeof methods;

const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));

describe("a client with batch: true", () => {
  test("sends the calls of one tick as one request, which begins one session", async () => {
    const { client, urls, cookies } = await open();
    const results = await Promise.all([
      client.addItemToBasket({ variantId: 7, quantity: 1 }),
      client.addItemToBasket({ variantId: 8, quantity: 2 }),
      Promise.resolve().then(() => client.getBasket()),
      client.clearWishlist(),
    ]);
    expect(urls).toEqual(["/api/rpc"]);
    expect(cookies()).toBe(1);
    expect(results.slice(0, 3).map((one) => (one as (typeof results)[0]).basket.itemCount)).toEqual(
      [1, 3, 3],
    );
    expect(await client.getUser()).toEqual({});
    expect(urls).toEqual(["/api/rpc", "/api/rpc/getUser"]);
  });

  test("sends at most 20 calls in one request", async () => {
    const { client, urls } = await open();
    const calls = Array.from({ length: 41 }, (_, index) =>
      client.addItemToBasket({ variantId: index + 1, quantity: 1 }),
    );
    await Promise.all(calls);
    expect(urls).toEqual(["/api/rpc", "/api/rpc", "/api/rpc/addItemToBasket"]);
  });

  test("rejects only the calls that fail", async () => {
    allowErrors();
    const { client, urls } = await open();
    const results = await Promise.allSettled([
      client.fail(),
      client.addItemToBasket({ variantId: 7 } as never),
      client.getUser(),
      client.clearBasket(),
      (client as unknown as Record<string, (payload: unknown) => Promise<unknown>>)["greet"]?.(1n),
    ]);
    expect(urls).toEqual(["/api/rpc"]);
    expect(results).toMatchObject([
      { reason: { status: 500, code: "internal_error" } },
      { reason: { status: 422, code: "invalid_input", errors: [{ path: ["quantity"] }] } },
      { value: {} },
      { value: { basket: { itemCount: 0 } } },
      { reason: expect.any(TypeError) },
    ]);
  });

  test("sends methods that sign in or out in requests of their own", async () => {
    const { client, urls } = await open();
    const person = { email: "ada@example.com", password: "correct horse" };
    await Promise.all([client.register(person), client.getBasket(), client.getWishlist()]);
    await Promise.all([client.logout(), client.getBasket(), client.getWishlist()]);
    const expected = ["/api/rpc/register", "/api/rpc", "/api/rpc/logout", "/api/rpc"];
    expect(urls).toEqual(expected);
  });

  test("repeats a method of yours that signs in, alone, and sends it alone from then on", async () => {
    const { client, urls } = await open();
    const both = () => Promise.all([client.loginByPhone(), client.getBasket(), client.getUser()]);
    expect((await both())[0]).toBe("hello");
    expect(urls).toEqual(["/api/rpc", "/api/rpc/loginByPhone"]);
    await both();
    expect(urls.slice(2)).toEqual(["/api/rpc/loginByPhone", "/api/rpc"]);
  });

  test("repeats a read that returns a Response, and rejects a change that does", async () => {
    const { client, urls } = await open();
    invoice.mockClear();
    const [read, change] = await Promise.allSettled([client.getInvoice(), client.invoice()]);
    expect(await (read as PromiseFulfilledResult<Response>).value.text()).toBe("%PDF");
    expect(change).toMatchObject({ reason: { code: "not_batchable", executed: true } });
    expect(String((change as PromiseRejectedResult).reason.detail)).toContain("invoice returned");
    expect(urls).toEqual(["/api/rpc", "/api/rpc/getInvoice"]);
    expect(invoice).toHaveBeenCalledTimes(3);
    await Promise.all([client.invoice(), client.getUser(), client.getBasket()]);
    expect(urls.slice(2)).toEqual(["/api/rpc/invoice", "/api/rpc"]);
  });

  test("sends calls with headers of their own alone, except an idempotency key", async () => {
    const { client, urls } = await open();
    const results = await Promise.all([
      client.key(undefined, { headers: { "Idempotency-Key": "a-1" } }),
      client.key(undefined, { headers: { "Idempotency-Key": "a-2" } }),
      client.key(undefined, { headers: { "Idempotency-Key": "a-3", "x-other": "1" } }),
    ]);
    expect(results).toEqual(["a-1", "a-2", "a-3"]);
    expect(urls).toEqual(["/api/rpc/key", "/api/rpc"]);
  });

  test("cancels one call, and leaves the others", async () => {
    const { client, urls } = await open();
    const controller = new AbortController();
    const reason = new Error("The page was left");
    const canceled = client.getBasket(undefined, { signal: controller.signal });
    const others = [client.getUser(), client.getWishlist()];
    controller.abort(reason);
    await expect(canceled).rejects.toBe(reason);
    await Promise.all(others);
    expect(urls).toEqual(["/api/rpc"]);
  });

  test.each([404, 405, 413])("sends each call alone if the batch gets %i", async (status) => {
    const { client, urls } = await open({}, (path) =>
      path === "/api/rpc" ? new Response("", { status }) : undefined,
    );
    await Promise.all([client.getUser(), client.getBasket()]);
    expect(urls).toEqual(["/api/rpc", "/api/rpc/getUser", "/api/rpc/getBasket"]);
    await Promise.all([client.getUser(), client.getBasket()]);
    // Only the size differs from batch to batch.
    expect(urls.slice(3).includes("/api/rpc")).toBe(status === 413);
  });

  test("rejects all calls if the whole batch fails", async () => {
    const answers = [
      new Response("<h1>Bad Gateway</h1>", { status: 502 }),
      Response.json([{ status: 200 }]),
      Response.json({ user: null }),
    ];
    const { client } = await open({}, () => answers.shift());
    for (const status of [502, 200, 200]) {
      const calls = await Promise.allSettled([client.getUser(), client.getBasket()]);
      const reason = { status, code: "no_problem" };
      expect(calls).toMatchObject([{ reason }, { reason }]);
    }
  });
});

// --- Internal helpers ---

/** A client of a new server. @param intercept responds instead of the server */
async function open(
  options: Partial<RpcClientOptions> = {},
  intercept: (path: string) => Response | undefined = () => undefined,
) {
  const { app } = await start({ methods });
  const browser = createBrowser(app);
  const urls: string[] = [];
  let cookies = 0;
  const client = createRpcClient<Methods>({
    baseURL: "http://localhost",
    shopId: 1001,
    batch: true,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      urls.push(pathname);
      const response = intercept(pathname) ?? (await browser(request));
      cookies += response.headers.getSetCookie().length;
      return response;
    },
    ...options,
  });
  return { client, urls, cookies: () => cookies };
}
