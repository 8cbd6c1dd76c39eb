import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import {
  defineStorageDriver,
  openDocumentStore,
  type StorageAdapter,
} from "../../../storage/index.ts";
import { testStorageAdapter } from "../../../storage/adapter-suite.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeWithPostgreSql, startPostgreSql, type TestPostgreSql } from "../../_postgresql.ts";
import { createSetup, forProduction, testConfig } from "../../_setup.ts";
import { createTable, openTable as openSharedTable } from "../../_shared-table.ts";
import { createTableDriver } from "../../_table-driver.ts";

const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7, firstName: "Ada" }),
  }),
  rename: defineRpcMethod({
    handler: (_, { updateUser }) => updateUser({ id: 7, firstName: "Eve" }),
  }),
};

describeWithPostgreSql("an adapter for a table with conditional writes", () => {
  let server: TestPostgreSql;
  beforeAll(async () => {
    server = await startPostgreSql();
  }, 60_000);
  afterAll(() => server.stop());
  const openTable = (name = randomUUID().replaceAll("-", "")) =>
    createTableDriver(server.url, `documents_${name}`);

  describe("passes the conformance suite", () => {
    testStorageAdapter({ test, createDriver: openTable });
  });

  describe("in a config", () => {
    let table: string;
    const { start, allowErrors } = createSetup("memory", "request", () => openTable(table));

    /** Two servers on one table, and one visitor at both. */
    async function startTwo() {
      table = randomUUID().replaceAll("-", "");
      const config = { methods, callTimeout: 600 };
      const [first, second] = [await start(config), await start(config)];
      const one = first.client();
      const two = second.client();
      await one.call("enter");
      for (const [name, value] of one.cookies) two.cookies.set(name, value);
      return { one, two };
    }

    test("serves one session on two servers", async () => {
      const { one, two } = await startTwo();
      expect((await two.call("getUser")).body.user.firstName).toBe("Ada");
      await two.call("rename");
      expect((await one.call("getUser")).body.user.firstName).toBe("Eve");
    });

    test("ends a session on both servers at the same time", async () => {
      const { one, two } = await startTwo();
      expect((await two.call("getUser")).body.user).toBeDefined();
      await one.call("logout");
      expect((await two.call("getUser")).body.user).toBeUndefined();
    });

    test("loses no item that two servers add to one basket in parallel", async () => {
      const { one, two } = await startTwo();
      const add = (index: number) =>
        (index % 2 ? one : two).call("addItemToBasket", { variantId: index + 1, quantity: 1 });
      const calls = await Promise.all(Array.from({ length: 20 }, (_, index) => add(index)));
      expect(calls.map(({ status }) => status)).toEqual(calls.map(() => 200));
      expect((await one.call("getBasket")).body.basket.itemCount).toBe(20);
    });

    test("costs a call 503 within the limit if the storage hangs", async () => {
      const { one } = await startTwo();
      allowErrors();
      server.pause();
      onTestFinished(() => server.resume());
      // Without the limit, this call would last until `callTimeout`.
      const { status, body } = await one.call("addItemToBasket", { variantId: 2, quantity: 1 });
      expect([status, body.code]).toEqual([503, "storage_unavailable"]);
      server.resume();
    });
  });

  test("works in production, because several processes can share it", () => {
    const resolved = resolveConfig(
      testConfig({
        auth: forProduction.auth,
        storage: { session: openTable(), basket: openTable(), account: openTable() },
      }),
      { production: true, isOneOfSeveral: true },
    );
    expect(resolved.refusal).toBeUndefined();
  });
});

/** A driver whose adapter says that it is atomic in the cluster. */
function createDriver(atomic: "process" | "cluster", changes: "pushed" | "unheard") {
  const adapter = { capabilities: { atomic: "cluster", changes, ttl: "stored" } };
  const createAdapter = () => adapter as StorageAdapter;
  return defineStorageDriver({ name: "table", atomic, createAdapter });
}

describe("a driver with an adapter", () => {
  test.each([
    ["another atomicity than its adapter", "process", "unheard"],
    ["pushed changes without watch()", "cluster", "pushed"],
  ] as const)("fails if it declares %s", (_, atomic, changes) => {
    const driver = createDriver(atomic, changes);
    expect(() => openDocumentStore(driver, createTestLog())).toThrow(TypeError);
  });

  test.each([
    [
      "lacks a function",
      { setAside: undefined },
      'The adapter of "table" has no function setAside',
    ],
    [
      "misspells one",
      { wach: () => {} },
      'no member wach, as that of "table"; did you mean watch?',
    ],
    ["misspells one in another case", { Ready: () => {} }, "did you mean ready?"],
  ])("fails if its adapter %s", (_, changed, message) => {
    const { watch: _watch, ...others } = openSharedTable(createTable());
    const capabilities = { atomic: "cluster", changes: "unheard", ttl: "stored" };
    const adapter = { ...others, capabilities, ...changed } as unknown as StorageAdapter;
    const createAdapter = () => adapter;
    const driver = defineStorageDriver({ name: "table", atomic: "cluster", createAdapter });
    expect(() => openDocumentStore(driver, createTestLog())).toThrow(message);
  });

  test("can have an adapter with members of its own", async () => {
    const { watch: _watch, ...others } = openSharedTable(createTable());
    const capabilities = { atomic: "cluster", changes: "unheard", ttl: "stored" } as const;
    const own = { reads: 0, counter: {}, batch() {}, match() {}, patch() {}, head() {} };
    const createAdapter = () => ({ ...others, capabilities, ...own });
    const driver = defineStorageDriver({ name: "table", atomic: "cluster", createAdapter });
    const store = openDocumentStore(driver, createTestLog());
    await store.close();
  });

  test("works if the adapter inherits its functions, as an instance of a class does", async () => {
    const adapter = Object.create(openSharedTable(createTable())) as StorageAdapter;
    const createAdapter = () => adapter;
    const driver = defineStorageDriver({ name: "table", atomic: "cluster", createAdapter });
    const store = openDocumentStore(driver, createTestLog());
    const names = store.collection("name", (value): value is string => typeof value === "string");
    await names.update("a", () => ({ set: "Ada" }));
    expect((await names.get("a")).value).toBe("Ada");
    expect(store.watch("name").isUp()).toBe(true);
    await store.close();
  });

  test("rejects the functions of unstorage", async () => {
    const driver = createDriver("cluster", "unheard");
    await expect(driver.getItem("a")).rejects.toThrow('The storage "table"');
  });
});
