import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BuiltinMethods } from "../../../rpc/methods/builtin.ts";
import { createRpcClient, RpcClientError, type RpcClientOptions } from "../../../rpc/client.ts";
import { toFetch } from "../../_fetch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const moved = { code: "session_changed", executed: false };

describe("a call that failed before its method ran, because the session's ID changed", () => {
  test("repeats after 200 ms if no other call is in progress", async () => {
    const { client, asked } = createClient([conflict(moved), success()]);
    const call = client.getUser();
    await vi.advanceTimersByTimeAsync(199);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await call).toEqual({ done: true });
    expect(asked).toHaveLength(2);
  });

  test("repeats after the response of the login in progress, 500 ms later", async () => {
    const login = createDeferred();
    const { client, asked } = createClient([login.promise, conflict(moved), success()]);
    const loggingIn = client.login({ email: "ada@example.com", password: "correct horse" });
    const call = client.getBasket();
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toEqual(["login", "getBasket"]);
    login.resolve(success());
    expect(await call).toEqual({ done: true });
    expect(asked).toEqual(["login", "getBasket", "getBasket"]);
    await loggingIn;
  });

  test("repeats when the other call in progress fails", async () => {
    const other = createDeferred();
    const { client } = createClient([other.promise, conflict(moved), success()]);
    const failing = client.getUser().catch((error: unknown) => error);
    const call = client.getBasket();
    await vi.advanceTimersByTimeAsync(10);
    other.reject(new TypeError("fetch failed"));
    expect(await call).toEqual({ done: true });
    expect(await failing).toBeInstanceOf(TypeError);
  });

  test("doesn't wait for another call that waits itself", async () => {
    const { client } = createClient([conflict(moved), conflict(moved), success(), success()]);
    const calls = Promise.all([client.getUser(), client.getBasket()]);
    await vi.advanceTimersByTimeAsync(200);
    expect(await calls).toEqual([{ done: true }, { done: true }]);
  });

  test("repeats once more after a second, and then rejects", async () => {
    const answers = [conflict(moved), conflict(moved), conflict(moved), success()];
    const { client, asked } = createClient(answers);
    const call = client.getUser().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(200);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(999);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(3);
    expect(await call).toMatchObject({ status: 409, code: "session_changed", executed: false });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(3);
  });

  test("rejects with the signal's reason if it is canceled while it waits", async () => {
    const { client, asked } = createClient([conflict(moved), success()]);
    const controller = new AbortController();
    const call = client.getUser(undefined, { signal: controller.signal });
    const failure = call.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(100);
    const reason = new Error("The page was left");
    controller.abort(reason);
    expect(await failure).toBe(reason);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(1);
  });
});

describe("a call is not repeated", () => {
  test.each([
    ["if its method ran", { code: "session_changed", executed: true }],
    ["if the server doesn't say whether its method ran", { code: "session_changed" }],
    ["if its session ended", { code: "session_ended", executed: false }],
    ["if it failed for another reason", { code: "email_taken", executed: false }],
  ])("%s", async (_, problem) => {
    const { client, asked } = createClient([conflict(problem), success()]);
    const call = client.getUser().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await call).toMatchObject({ status: 409, ...problem });
    expect(asked).toHaveLength(1);
  });
});

test("the client calls onSessionEnded for session_ended only", async () => {
  const onSessionEnded = vi.fn<(error: RpcClientError) => void>();
  const ended = conflict({ code: "session_ended", executed: false });
  const { client } = createClient([ended, conflict({ code: "email_taken" })], { onSessionEnded });
  const error = await client.clearBasket().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "session_ended" });
  expect(onSessionEnded.mock.calls).toEqual([[error]]);
  await client.clearBasket().catch(() => undefined);
  expect(onSessionEnded).toHaveBeenCalledOnce();
});

describe("options of one call", () => {
  test("headers win over those of the client, and never over the shop's", async () => {
    const { client, sent } = createClient([success()], { headers: { "x-a": "1", "x-b": "1" } });
    const headers = { "X-B": "2", "x-shop-id": "9" };
    await client.getUser(undefined, { headers });
    const given = sent[0]?.headers;
    expect(given).toMatchObject({ "x-a": "1", "x-b": "2", "x-shop-id": "1001" });
  });

  test("the signal reaches fetch", async () => {
    const { client, sent } = createClient([success()]);
    const controller = new AbortController();
    await client.getUser(undefined, { signal: controller.signal });
    expect(sent[0]?.signal?.aborted).toBe(false);
    controller.abort();
    expect(sent[0]?.signal?.aborted).toBe(true);
  });
});

// --- Internal helpers ---

/** A client whose calls get these responses, one after the other. */
function createClient(
  responses: readonly (Response | Promise<Response>)[],
  options: Partial<RpcClientOptions> = {},
) {
  const asked: string[] = [];
  const sent: RequestInit[] = [];
  const client = createRpcClient<BuiltinMethods>({
    baseURL: "https://shop.example",
    shopId: 1001,
    fetch: toFetch((url, init) => {
      sent.push(init);
      asked.push(url.split("/").at(-1) as string);
      return responses[asked.length - 1] as Response;
    }),
    ...options,
  });
  return { client, asked, sent };
}

function createDeferred() {
  let resolve!: (response: Response) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<Response>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

function success(): Response {
  return Response.json({ done: true });
}

function conflict(problem: Readonly<Record<string, unknown>>): Response {
  const body = { title: "Conflict", status: 409, ...problem };
  return Response.json(body, {
    status: 409,
    headers: { "content-type": "application/problem+json" },
  });
}
