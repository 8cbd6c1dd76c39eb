import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createRpcClient, type RpcClientOptions } from "../../../rpc/client.ts";
import { toFetch } from "../../_fetch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Call = (
  payload?: unknown,
  options?: { signal?: AbortSignal; timeout?: number; headers?: Record<string, string> },
) => Promise<unknown>;

describe("equal reads in progress", () => {
  test("share one request", async () => {
    const { rpc, sent, answer } = createClient({ reads: ["search"] });
    const calls = [
      rpc.getBasket(),
      rpc.getBasket(),
      rpc.search({ text: "a" }),
      rpc.search({ text: "a" }),
    ];
    await flush();
    expect(sent).toEqual(["getBasket", "search"]);
    answer(0, Response.json(1));
    answer(1, Response.json(2));
    expect(await Promise.all(calls)).toEqual([1, 1, 2, 2]);
    void rpc.getBasket();
    await flush();
    expect(sent).toHaveLength(3);
  });

  test.each([
    ["their payloads differ", (rpc: Rpc) => [rpc.getItem({ id: 1 }), rpc.getItem({ id: 2 })]],
    [
      "their headers differ",
      (rpc: Rpc) => [rpc.getItem(), rpc.getItem(undefined, { headers: { a: "1" } })],
    ],
    ["they are changes", (rpc: Rpc) => [rpc.add({ id: 1 }), rpc.add({ id: 1 })]],
    ["their name only begins like a read", (rpc: Rpc) => [rpc.getaway(), rpc.getaway()]],
  ])("send several requests if %s", async (_, call) => {
    const { rpc, sent } = createClient();
    call(rpc).forEach((one) => one.catch(() => undefined));
    await flush();
    expect(sent).toHaveLength(2);
  });

  test("send two requests if a change begins or ends between them", async () => {
    const { rpc, sent, answer } = createClient();
    void rpc.getBasket();
    const change = rpc.addItem();
    void rpc.getBasket();
    await flush();
    expect(sent).toEqual(["getBasket", "addItem", "getBasket"]);
    answer(1, Response.json(1));
    await change;
    void rpc.getBasket();
    await flush();
    expect(sent).toEqual(["getBasket", "addItem", "getBasket", "getBasket"]);
  });

  test("can be canceled one by one", async () => {
    const { rpc, sent, answer } = createClient();
    const [first, second] = [new AbortController(), new AbortController()];
    const owner = rpc.getBasket(undefined, { signal: first.signal });
    const canceled = rpc.getBasket(undefined, { signal: second.signal });
    const other = rpc.getBasket();
    second.abort(new Error("second"));
    await expect(canceled).rejects.toThrow("second");
    first.abort(new Error("first"));
    await expect(owner).rejects.toThrow("first");
    await flush();
    // The request of the first was canceled with it, so the other sends its own.
    expect(sent).toEqual(["getBasket", "getBasket"]);
    answer(1, Response.json(1));
    expect(await other).toBe(1);
  });

  test("each get a Response that they can read", async () => {
    const { rpc, answer } = createClient();
    const calls = [rpc.getInvoice(), rpc.getInvoice()] as Promise<Response>[];
    await flush();
    answer(0, new Response("%PDF", { headers: { "storefront-response": "1" } }));
    const texts = (await Promise.all(calls)).map((response) => response.text());
    expect(await Promise.all(texts)).toEqual(["%PDF", "%PDF"]);
  });
});

describe("a call that failed with 503 and Retry-After", () => {
  test.each(["getBasket", "addItem"])(
    "repeats %s after that time, twice at most",
    async (method) => {
      const { rpc, sent, answer } = createClient();
      const call = rpc[method]?.().catch((error: unknown) => error);
      for (const attempt of [0, 1, 2]) {
        await flush();
        expect(sent).toHaveLength(attempt + 1);
        answer(attempt, busy("2"));
        await vi.advanceTimersByTimeAsync(1999);
        expect(sent).toHaveLength(attempt + 1);
        await vi.advanceTimersByTimeAsync(1);
      }
      expect(await call).toMatchObject({ status: 503, code: "storage_unavailable", retryAfter: 2 });
      expect(sent).toHaveLength(3);
    },
  );

  test.each([
    ["it is a change with a secret", "updatePassword", "1"],
    ["the time is longer than 10 seconds", "getBasket", "11"],
    ["the header is missing", "getBasket", undefined],
    ["the header is no number of seconds", "getBasket", "Fri, 31 Dec 2027 23:59:59 GMT"],
  ])("gets no repetition if %s", async (_, method, retryAfter) => {
    const { rpc, sent, answer } = createClient();
    const call = rpc[method]?.().catch((error: unknown) => error);
    await flush();
    answer(0, busy(retryAfter));
    expect(await call).toMatchObject({ status: 503 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
  });
});

describe("the timeout of a call", () => {
  test("rejects with a TimeoutError, and cancels the request", async () => {
    const { rpc, inits } = createClient();
    const call = rpc.getBasket(undefined, { timeout: 1.5 }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1499);
    expect(inits[0]?.signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await call).toMatchObject({ name: "TimeoutError" });
    expect(inits[0]?.signal?.aborted).toBe(true);
  });

  test.each([Infinity, 3_000_000])("can be longer than any timer: %s seconds", async (timeout) => {
    const { rpc, answer } = createClient();
    const call = rpc.getBasket(undefined, { timeout });
    await vi.advanceTimersByTimeAsync(60_000);
    answer(0, Response.json("basket"));
    expect(await call).toBe("basket");
  });

  test("includes the time between repeats", async () => {
    const { rpc, answer, sent } = createClient();
    const call = rpc.getBasket(undefined, { timeout: 3 }).catch((error: unknown) => error);
    await flush();
    answer(0, busy("5"));
    await vi.advanceTimersByTimeAsync(3000);
    expect(await call).toMatchObject({ name: "TimeoutError" });
    expect(sent).toHaveLength(1);
  });

  test("leaves the signal of the call in effect", async () => {
    const { rpc } = createClient();
    const controller = new AbortController();
    const call = rpc.getBasket(undefined, { timeout: 3, signal: controller.signal });
    const reason = new Error("The page was left");
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });
});

// --- Internal helpers ---

type Rpc = Readonly<Record<string, Call>> &
  Record<"getBasket" | "search" | "getItem" | "add" | "getaway" | "addItem" | "getInvoice", Call>;

/** A client whose requests wait for `answer`. */
function createClient(options: Partial<RpcClientOptions> = {}) {
  const sent: string[] = [];
  const inits: RequestInit[] = [];
  const answers: ((response: Response) => void)[] = [];
  const client = createRpcClient({
    baseURL: "https://shop.example",
    shopId: 1001,
    fetch: toFetch((url, init) => {
      sent.push(url.split("/").at(-1) as string);
      inits.push(init);
      return new Promise((resolve, reject) => {
        answers.push(resolve);
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    }),
    ...options,
  });
  const answer = (index: number, response: Response) => answers[index]?.(response);
  return { rpc: client as unknown as Rpc, sent, inits, answer };
}

function flush(): Promise<unknown> {
  return vi.advanceTimersByTimeAsync(0);
}

function busy(retryAfter: string | undefined): Response {
  const body = { title: "Busy", status: 503, code: "storage_unavailable" };
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (retryAfter !== undefined) headers.set("retry-after", retryAfter);
  return Response.json(body, { status: 503, headers });
}
