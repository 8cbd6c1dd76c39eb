import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createRpcClient, type RpcClientOptions } from "../../../rpc/client.ts";
import type { BuiltinMethods } from "../../../rpc/methods/builtin.ts";
import type { defineRpcMethod } from "../../../rpc/define-method.ts";
import { toFetch, type SentInit } from "../../_fetch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const line = { variantId: 7, quantity: 1 };
const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const lost = new TypeError("fetch failed");

describe("the Idempotency-Key of the typed client", () => {
  test("differs for each change: a new UUID", async () => {
    const { client, keys } = createClient([success(), success(), success()]);
    await client.addItemToBasket(line);
    await client.addItemToBasket(line);
    await client.logout();
    for (const key of keys()) expect(key).toMatch(uuid);
    expect(new Set(keys()).size).toBe(3);
  });

  test.each([
    "getBasket",
    "listSessions",
    "searchProducts",
    "login",
    "updatePassword",
    "verifyEmail",
    "requestEmailVerification",
  ])("doesn't accompany %s, which is a read or takes a secret", async (method) => {
    const { client, keys } = createClient([success()], { reads: ["searchProducts"] });
    await client[method]?.();
    expect(keys()).toEqual([undefined]);
  });

  test("comes from the call's headers, or from the client's, if one has it", async () => {
    const { client, keys } = createClient([success(), success()], {
      headers: { "Idempotency-Key": "of-the-client" },
    });
    await client.clearBasket();
    await client.clearBasket(undefined, { headers: { "IDEMPOTENCY-KEY": "of-the-call" } });
    expect(keys()).toEqual(["of-the-client", "of-the-call"]);
  });

  test("stays random on a page without HTTPS, which has no crypto.randomUUID", async () => {
    vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
    const { client, keys } = createClient([success(), success()]);
    await client.clearBasket();
    await client.clearBasket();
    expect(keys()[0]).toMatch(/^\d+-\d+-\d+-\d+$/);
    expect(keys()[0]).not.toBe(keys()[1]);
  });

  test("differs for each call in a batch", async () => {
    const { client, sent } = createClient(
      [Response.json([{ status: 200 }, { status: 200 }, { status: 200 }])],
      {
        batch: true,
      },
    );
    const calls = [client.addItemToBasket(line), client.getBasket(), client.clearBasket()];
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all(calls);
    const entries = JSON.parse(sent[0]?.body ?? "") as { key?: string }[];
    expect(entries.map(({ key }) => key)).toEqual([
      expect.stringMatching(uuid),
      undefined,
      expect.stringMatching(uuid),
    ]);
    expect(sent[0]?.headers).not.toHaveProperty("idempotency-key");
  });
});

describe("a change without a response", () => {
  test("repeats after 200 ms and after a second with the same key, and then rejects", async () => {
    const { client, keys } = createClient([lost, lost, lost, success()]);
    const call = client.addItemToBasket(line).catch((error: unknown) => error);
    for (const [attempts, pause] of [
      [1, 200],
      [2, 1000],
    ] as const) {
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(keys()).toHaveLength(attempts);
      await vi.advanceTimersByTimeAsync(1);
      expect(keys()).toHaveLength(attempts + 1);
    }
    expect(await call).toBe(lost);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(keys()).toHaveLength(3);
    expect(new Set(keys()).size).toBe(1);
  });

  test.each([502, 503, 504])(
    "repeats if a proxy responds %i instead of the server",
    async (status) => {
      const { client, keys } = createClient([new Response("<html>", { status }), success()]);
      const call = client.addItemToBasket(line);
      await vi.advanceTimersByTimeAsync(200);
      expect(await call).toEqual({ done: true });
      expect(new Set(keys()).size).toBe(1);
    },
  );

  test("repeats a whole batch, each call with its key, and rejects its reads", async () => {
    const both = Response.json([
      { status: 200, body: 1 },
      { status: 200, body: 2 },
    ]);
    const { client, sent } = createClient([lost, both], { batch: true });
    const calls = Promise.allSettled([
      client.addItemToBasket(line),
      client.getBasket(),
      client.clearBasket(),
    ]);
    await vi.advanceTimersByTimeAsync(500);
    expect(await calls).toMatchObject([{ value: 1 }, { reason: lost }, { value: 2 }]);
    const [first, second] = sent.map(({ body }) => JSON.parse(body) as { method: string }[]);
    expect(second).toEqual(first?.filter(({ method }) => method !== "getBasket"));
  });

  test("waits until other calls have their responses only for a moved session", async () => {
    const { client, keys } = createClient([new Promise<Response>(() => {}), lost, success()]);
    void client.getBasket();
    const call = client.clearBasket();
    await vi.advanceTimersByTimeAsync(200);
    expect(await call).toEqual({ done: true });
    expect(keys()).toHaveLength(3);
  });

  test("gets no repetition if its signal aborts, or its time is over", async () => {
    const { client, keys } = createClient([lost, success(), lost, success()]);
    const controller = new AbortController();
    const aborted = client
      .clearBasket(undefined, { signal: controller.signal })
      .catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(100);
    controller.abort(lost);
    expect(await aborted).toBe(lost);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(keys()).toHaveLength(1);
  });

  test.each([
    ["it is a read", "getBasket", {}],
    ["it takes a secret", "reauthenticate", {}],
    ["the client must not repeat it", "subscribe", { neverRepeat: ["subscribe"] }],
  ])("gets no repetition if %s", async (_, method, options) => {
    const { client, keys } = createClient([lost, success()], options);
    const call = client[method]?.().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await call).toBe(lost);
    expect(keys()).toHaveLength(1);
  });
});

describe("a change with an error", () => {
  test.each([
    [409, "idempotency_pending", "1"],
    [503, "storage_unavailable", "1"],
    [503, "commerce_unavailable", "1"],
  ])("repeats after %i %s with the same key", async (status, code, retryAfter) => {
    const { client, keys } = createClient([problem(status, code, retryAfter), success()]);
    const call = client.addItemToBasket(line);
    await vi.advanceTimersByTimeAsync(999);
    expect(keys()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await call).toEqual({ done: true });
    expect(new Set(keys()).size).toBe(1);
  });

  test.each([
    [503, "storage_unavailable", "11"],
    [503, "draining", undefined],
    [502, "commerce_failed", undefined],
    [504, "timeout", undefined],
    [500, "internal_error", undefined],
    [429, "too_many_attempts", "1"],
    [422, "idempotency_key_reused", undefined],
    [412, "basket_changed", undefined],
  ])("gets no repetition after %i %s with Retry-After %s", async (status, code, retryAfter) => {
    const { client, keys } = createClient([problem(status, code, retryAfter), success()]);
    const call = client.addItemToBasket(line).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await call).toMatchObject({ status, code });
    expect(keys()).toHaveLength(1);
  });

  test("repeats with the same key after its session got another ID", async () => {
    const moved = problem(409, "session_changed", undefined, { executed: false });
    const { client, keys } = createClient([moved, success()]);
    const call = client.addItemToBasket(line);
    await vi.advanceTimersByTimeAsync(200);
    await call;
    expect(new Set(keys()).size).toBe(1);
  });
});

// --- Internal helpers ---

/** A client whose requests get these responses, one after the other. */
function createClient(
  responses: readonly (Response | Promise<Response> | Error)[],
  options: Partial<RpcClientOptions> = {},
) {
  const sent: SentInit[] = [];
  const client = createRpcClient<
    BuiltinMethods & Record<string, ReturnType<typeof defineRpcMethod>>
  >({
    baseURL: "https://shop.example",
    shopId: 1001,
    fetch: toFetch((_, init) => {
      const response = responses[sent.push(init) - 1];
      if (response instanceof Error) throw response;
      return response as Response;
    }),
    ...options,
  });
  return { client, sent, keys: () => sent.map(({ headers }) => headers["idempotency-key"]) };
}

function success(): Response {
  return Response.json({ done: true });
}

function problem(status: number, code: string, retryAfter?: string, more: object = {}): Response {
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (retryAfter !== undefined) headers.set("retry-after", retryAfter);
  return new Response(JSON.stringify({ title: code, status, code, ...more }), { status, headers });
}
