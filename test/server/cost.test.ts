import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Driver } from "unstorage";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { openDriver } from "../../storage/open-driver.ts";
import { createSetup } from "../_setup.ts";
import { CookieClient, type Send } from "../_cookie-client.ts";

/** The expensive operations of a call. The test limits their number; the benchmark measures their time. */
interface Cost {
  readonly reads: number;
  readonly writes: number;
  readonly signatures: number;
  readonly parses: number;
  readonly texts: number;
}

interface Counter {
  count: number;
}

/** Set in everything that a call causes. */
const inCall = new AsyncLocalStorage<true>();

const signatures = vi.hoisted(() => ({ count: 0 }));
const turns = vi.hoisted(() => ({ count: 0 }));

vi.mock(import("node:timers"), async (load) => {
  const timers = await load();
  const setImmediate = ((...args: Parameters<typeof timers.setImmediate>) => {
    // The timer of a store that closes after a test also uses it, some 300 ms later.
    if (new Error().stack?.includes("http-server.ts")) turns.count++;
    return timers.setImmediate(...args);
  }) as typeof timers.setImmediate;
  return { ...timers, setImmediate };
});

// Production checks no results of built-in methods.
vi.mock(import("../../server/result-check.ts"), () => ({
  createResultCheck: () => undefined as never,
}));

vi.mock(import("node:crypto"), async (load) => {
  const crypto = await load();
  const createHmac = ((...args: Parameters<typeof crypto.createHmac>) => {
    signatures.count++;
    return crypto.createHmac(...args);
  }) as typeof crypto.createHmac;
  return { ...crypto, createHmac };
});

const cachedFunctions = new Set<unknown>();

const methods = {
  look: defineRpcMethod({
    access: "public",
    handler(_, { cached, invalidate }) {
      cachedFunctions.add(cached).add(invalidate);
      return { a: 1 };
    },
  }),
  list: defineRpcMethod({
    access: "public",
    handler: (_, { cached }) => cached("list", 60, () => ({ items: [{ a: 1 }] })),
  }),
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7, firstName: "Ada" }),
  }),
  setField: defineRpcMethod({
    handler: (_, { updateCustomData }) => updateCustomData({ one: Math.random() } as object),
  }),
  rename: defineRpcMethod({
    handler: (_, { user, updateUser }) => updateUser({ ...user, id: 7, firstName: "Eve" }),
  }),
};

const setup = createSetup("memory", "request", () =>
  countOperations(openDriver({ driver: "memory" })),
);
let reads: number;
let writes: number;
let client: CookieClient;
let cost: Cost;
/** The timers that the calls of a test set. */
let timers: Counter;

beforeEach(async () => {
  const { send } = await setup.start({ methods });
  const parses = countInCalls(JSON, "parse");
  const texts = countInCalls(JSON, "stringify");
  timers = countInCalls(globalThis, "setTimeout");
  const counted: Send = async (path, init) => {
    reads = 0;
    writes = 0;
    for (const counter of [parses, texts, signatures]) counter.count = 0;
    const response = await inCall.run(true, () => send(path, init));
    cost = {
      reads,
      writes,
      signatures: signatures.count,
      parses: parses.count,
      texts: texts.count,
    };
    return response;
  };
  client = new CookieClient(counted);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts the runs of a function within calls: those of the test runner and of earlier servers don't count. */
function countInCalls(owner: object, name: string): Counter {
  const counter = { count: 0 };
  const functions = owner as Record<string, (...args: unknown[]) => unknown>;
  const original = functions[name] as (...args: unknown[]) => unknown;
  vi.spyOn(functions, name).mockImplementation((...args) => {
    if (inCall.getStore() === true) counter.count++;
    return original(...args);
  });
  return counter;
}

/** Counts in place: the store doesn't treat a copy as this process's own memory. */
function countOperations(driver: Driver): Driver {
  const { getItemRaw, setItemRaw, removeItem } = driver;
  return Object.assign(driver, {
    getItemRaw: (key: string) => (reads++, getItemRaw?.(key, {})),
    setItemRaw: (key: string, value: unknown) => (writes++, setItemRaw?.(key, value, {})),
    removeItem: (key: string) => (writes++, removeItem?.(key, {})),
  });
}

/** The cost of a call after the given earlier calls. */
async function costOf(...calls: string[]): Promise<Cost> {
  return costWith({}, ...calls);
}

/** The same, with these headers. */
async function costWith(headers: Record<string, string>, ...calls: string[]): Promise<Cost> {
  for (const call of calls) {
    const payload = call === "addItemToBasket" ? { variantId: 7, quantity: 1 } : undefined;
    const { status } = await client.call(call, payload, headers);
    expect([200, 204]).toContain(status);
  }
  return cost;
}

test("a guest's call only parses its body", async () => {
  const body = { parses: 1, texts: 1 };
  await costOf("getUser");
  expect(await costOf("getUser")).toEqual({ reads: 0, writes: 0, signatures: 0, ...body });
});

test("the first call with a cookie verifies one signature and reads the session", async () => {
  expect(await costOf("enter", "getUser")).toEqual({
    reads: 1,
    writes: 0,
    signatures: 1,
    parses: 2,
    texts: 1,
  });
});

test("later calls of a known session read nothing and verify no signature", async () => {
  expect(await costOf("enter", "getUser", "getUser")).toEqual({
    reads: 0,
    writes: 0,
    signatures: 0,
    parses: 1,
    texts: 1,
  });
});

test("a known session verifies no signature when another cookie changes", async () => {
  await costOf("enter", "getUser");
  for (const clock of ["1", "2"]) {
    client.cookies.set("_ga", clock);
    expect(await costOf("getUser")).toMatchObject({ reads: 0, signatures: 0 });
  }
});

test.each([
  // One more is made to see how long it is.
  ["setField", 2],
  ["rename", 1],
])("%s writes one string and parses none", async (call, texts) => {
  const expected = { reads: 1, writes: 1, signatures: 0, parses: 1, texts };
  expect(await costOf("enter", "getUser", call)).toEqual(expected);
  expect(await costOf(call), "again").toEqual(expected);
});

test("a change of a basket reads and writes the basket once", async () => {
  expect(await costOf("enter", "getUser", "addItemToBasket", "addItemToBasket")).toEqual({
    reads: 2,
    writes: 1,
    signatures: 0,
    parses: 2,
    texts: 2,
  });
});

test.each(["setField", "rename"])("%s writes once with an Idempotency-Key, too", async (call) => {
  await costOf("enter", "getUser", call);
  expect(await costWith({ "idempotency-key": "a" }, call)).toMatchObject({ writes: 1, parses: 1 });
  expect(await costWith({ "idempotency-key": "a" }, call)).toMatchObject({ reads: 0, writes: 0 });
});

test("a change of a basket with an Idempotency-Key only reads the wishlist in addition", async () => {
  await costOf("enter", "getUser", "addItemToBasket");
  expect(await costWith({ "idempotency-key": "a" }, "addItemToBasket")).toMatchObject({
    reads: 3,
    writes: 1,
  });
  expect(await costWith({ "idempotency-key": "a" }, "addItemToBasket")).toMatchObject({
    writes: 0,
  });
});

test("a login writes its session and the user's index, and signs once", async () => {
  // The first session of a shop costs the writing of its generation, too.
  expect(await costOf("enter")).toMatchObject({ writes: 3, signatures: 1 });
  client.cookies.clear();
  expect(await costOf("enter")).toMatchObject({ writes: 2, signatures: 1 });
});

test("a second login also removes the previous session", async () => {
  expect(await costOf("enter", "enter")).toMatchObject({ writes: 4, signatures: 2 });
});

test("a public method that doesn't use the cache costs nothing for it", async () => {
  await costOf("look");
  expect(await costOf("look")).toEqual({ reads: 0, writes: 0, signatures: 0, parses: 1, texts: 1 });
  expect(timers.count).toBe(0);
  // Every call has the functions of its shop, made at startup.
  expect(cachedFunctions.size).toBe(2);
});

test("a cached result is not read from the storage, nor serialized again", async () => {
  await costOf("list");
  expect(await costOf("list")).toEqual({ reads: 0, writes: 0, signatures: 0, parses: 1, texts: 0 });
});

test("parallel calls wait for the end of one event-loop tick, without a timer each", async () => {
  turns.count = 0;
  await Promise.all(Array.from({ length: 5 }, () => client.call("getUser")));
  expect(turns.count).toBe(1);
  expect(timers.count).toBe(0);
});

test("the server responds although a test fakes all timers", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  expect(await client.call("enter")).toMatchObject({ status: 200 });
});
