import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Driver } from "unstorage";
import { describe, expect, test, vi } from "vitest";
import { createTestLog } from "../../server/testing/test-log.ts";
import type { Counters } from "../../storage/documents/documents.ts";
import {
  defineStorageDriver,
  openDocumentStore,
  type StorageAdapter,
} from "../../storage/index.ts";
import { openDriver } from "../../storage/open-driver.ts";
import { LoopTimer } from "../../storage/documents/loop-timer.ts";
import { StorageUnavailableError } from "../../storage/documents/unavailable.ts";
import { increment, openCounters, setTo, until } from "../_documents.ts";
import { createFaultyDriver, Barrier, hold, outage } from "../_faulty-driver.ts";
import { createSetup } from "../_setup.ts";
import { createTable, openTable } from "../_shared-table.ts";

/** The error of a call, and the milliseconds that it took. */
async function timeFailure(call: Promise<unknown>): Promise<{ error: unknown; time: number }> {
  const start = performance.now();
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, time: performance.now() - start };
}

const hang = () => new Promise<never>(() => {});

/** Longer than the time limit, and far shorter than two of them. */
const oneLimit = 4500;

describe.concurrent("a storage that doesn't respond", () => {
  test("fails a read, a write, and a ping within the limit", async () => {
    const faulty = createFaultyDriver();
    const { counters, store } = openCounters(faulty.driver);
    const read = await counters.update("a", setTo(1));
    const barrier = new Barrier();
    faulty.before = () => barrier.pass();
    const calls = [counters.get("a"), counters.update("b", increment, read), store.ping()];
    for (const { error, time } of await Promise.all(calls.map(timeFailure))) {
      expect(error).toBeInstanceOf(StorageUnavailableError);
      expect(time).toBeLessThan(oneLimit);
    }
    barrier.open();
  });

  test.each(["read", "write"])(
    "fails every operation that waits for the same document: %s",
    async (kind) => {
      const faulty = createFaultyDriver();
      const { counters } = openCounters(faulty.driver);
      const barrier = new Barrier();
      faulty.before = (operation) => (operation.kind === kind ? barrier.pass() : undefined);
      const calls = Array.from({ length: 10 }, () => counters.update("a", increment));
      for (const { error, time } of await Promise.all(calls.map(timeFailure))) {
        expect(error).toBeInstanceOf(StorageUnavailableError);
        expect(time).toBeLessThan(oneLimit);
      }
      barrier.open();
    },
  );

  test("fails each operation of an adapter's own counters within the limit", async ({
    onTestFinished,
  }) => {
    const hanging: Counters = { read: hang, add: hang, takeBack: hang, clear: hang };
    const adapter: StorageAdapter = { ...openTable(createTable()), counters: () => hanging };
    const driver = defineStorageDriver({
      name: "table",
      atomic: "cluster",
      createAdapter: () => adapter,
    });
    const store = openDocumentStore(driver, createTestLog());
    onTestFinished(() => store.close());
    const counters = store.counters("login", 60);
    const calls: readonly Promise<unknown>[] = [
      counters.read("a"),
      counters.add("a"),
      counters.takeBack("a"),
      counters.clear("a"),
    ];
    for (const { error, time } of await Promise.all(calls.map(timeFailure))) {
      expect(error).toBeInstanceOf(StorageUnavailableError);
      expect(time).toBeLessThan(oneLimit);
    }
  });

  test("doesn't let a late write undo a newer one", async () => {
    const faulty = createFaultyDriver();
    const { counters } = openCounters(faulty.driver);
    await counters.update("a", setTo(1));
    const barrier = hold(faulty, "before", "write");
    expect((await timeFailure(counters.update("a", setTo(2)))).error).toBeInstanceOf(
      StorageUnavailableError,
    );
    for (const call of [counters.update("a", setTo(3)), counters.get("a"), counters.take("a")]) {
      const { error } = await timeFailure(call);
      expect(error).toBeInstanceOf(StorageUnavailableError);
      // It didn't wait for the limit.
      expect(String((error as Error).cause)).toContain("is still pending");
    }
    expect((await counters.update("b", setTo(1))).value).toEqual({ count: 1 });
    barrier.open();
    await until(() =>
      counters.get("a").then(
        () => true,
        () => false,
      ),
    );
    expect((await counters.get("a")).value).toEqual({ count: 2 });
    expect((await counters.update("a", setTo(3))).value).toEqual({ count: 3 });
    expect((await counters.get("a")).value).toEqual({ count: 3 });
  });

  test("gets one retry per second, so that calls fail immediately", async () => {
    const faulty = createFaultyDriver();
    const { counters } = openCounters(faulty.driver);
    const barrier = new Barrier();
    faulty.before = () => barrier.pass();
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => timeFailure(counters.get(key))));
    faulty.operations.length = 0;
    const failures = await Promise.all(
      Array.from({ length: 100 }, () => timeFailure(counters.get("a"))),
    );
    expect(failures.every(({ error }) => error instanceof StorageUnavailableError)).toBe(true);
    const refused = failures.filter(({ error }) =>
      String((error as Error).cause).includes("The driver does not respond"),
    );
    expect(refused.length).toBeGreaterThanOrEqual(99);
    expect(faulty.operations.length).toBeLessThanOrEqual(1);
    faulty.heal();
    barrier.open();
    await until(() =>
      counters.get("a").then(
        () => true,
        () => false,
      ),
    );
    await counters.update("a", increment);
  });
});

describe("a call", () => {
  let driver: Driver;
  const { start, allowErrors } = createSetup("memory", "request", () => driver);

  test("gets 503 within the storage's limit, instead of 504 after its own timeout", async () => {
    const faulty = createFaultyDriver();
    driver = faulty.driver;
    allowErrors();
    const { client } = await start();
    const user = client();
    await user.call("addItemToBasket", { variantId: 1, quantity: 1 });
    const barrier = new Barrier();
    faulty.before = () => barrier.pass();
    const started = performance.now();
    expect(await user.call("getBasket")).toMatchObject({
      status: 503,
      body: { code: "storage_unavailable" },
      setCookies: [],
    });
    expect(performance.now() - started).toBeLessThan(oneLimit);
    faulty.heal();
    barrier.open();
    expect((await user.call("getBasket")).body.basket.itemCount).toBe(1);
  });
});

test("accepts a response that arrived while the event loop was blocked", async () => {
  const faulty = createFaultyDriver();
  const { counters } = openCounters(faulty.driver);
  await counters.update("a", setTo(1));
  faulty.before = () => sleep(50);
  const reading = counters.get("a");
  const end = performance.now() + 3500;
  while (performance.now() < end);
  expect((await reading).value).toEqual({ count: 1 });
});

test("starts no timer for a driver that responds immediately", async () => {
  const start = vi.spyOn(LoopTimer.prototype, "start");
  const { counters } = openCounters(openDriver({ driver: "memory" }));
  await counters.get("a");
  start.mockClear();
  await counters.update("a", increment);
  await counters.get("a");
  await counters.take("a");
  expect(start).not.toHaveBeenCalled();
  start.mockRestore();
});

test.each<[string, () => Promise<void>]>([
  ["never closes", () => new Promise(() => {})],
  ["fails to close", () => Promise.reject(new Error("Connection terminated"))],
  [
    "throws when it closes",
    () => {
      throw new Error("Not connected");
    },
  ],
])("closes in time although a driver %s", async (_, dispose) => {
  const driver: Driver = { ...openDriver({ driver: "memory" }), name: "stuck", dispose };
  const { store, lines } = openCounters(driver);
  await store.close();
  expect(lines).toMatchObject([{ level: "warn", details: { driver: "stuck" } }]);
});

describe("an error event of a driver's client", () => {
  const memory = openDriver({ driver: "memory" });
  const lost = Object.assign(new Error("Connection terminated unexpectedly"), {
    query: "INSERT hunter2",
  });

  test.each<[string, (client: EventEmitter) => Driver["getInstance"]]>([
    ["that it has", (client) => () => client],
    ["that it makes later", (client) => () => Promise.resolve(client)],
    ["below a database, as db0 has it", (client) => () => ({ getInstance: async () => client })],
  ])("causes a log line, and the process continues: %s", async (_, toInstance) => {
    const client = new EventEmitter();
    const driver: Driver = { ...memory, name: "db0", getInstance: toInstance(client) };
    const { counters, lines } = openCounters(driver);
    await counters.get("a");
    await until(async () => client.listenerCount("error") > 0);
    expect(client.emit("error", lost)).toBe(true);
    expect(lines).toMatchObject([{ level: "error", details: { driver: "db0" } }]);
    expect(JSON.stringify(lines)).toContain("Connection terminated unexpectedly");
    expect(JSON.stringify(lines)).not.toContain("hunter2");
  });

  test("causes a log line on a client that the driver replaced", async () => {
    const clients = [new EventEmitter(), new EventEmitter()] as const;
    let current = 0;
    const driver: Driver = { ...memory, getInstance: () => clients[current] };
    const { counters } = openCounters(driver);
    await until(async () => clients[0].listenerCount("error") === 1);
    current = 1;
    driver.getItemRaw = () => Promise.reject(new Error(`gone: ${current}`));
    await expect(counters.get("a")).rejects.toThrow(StorageUnavailableError);
    await until(async () => clients[1].listenerCount("error") === 1);
    expect(clients[0].listenerCount("error")).toBe(1);
  });

  test("doesn't matter if the driver can't create its client", async () => {
    const { counters, lines } = openCounters({ ...memory, getInstance: outage });
    await counters.update("a", increment);
    expect(lines).toEqual([]);
  });
});
