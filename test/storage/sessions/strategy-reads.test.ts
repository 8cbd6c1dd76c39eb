import { expect, onTestFinished, test } from "vitest";
import type { SessionConfig } from "../../../server/config/keys/session-keys.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import {
  DefaultSessionCacheStrategy,
  defineStorageDriver,
  InMemorySessionCacheStrategy,
  openDocumentStore,
  openDriver,
} from "../../../storage/index.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { createTable, openTable, type Table } from "../../_shared-table.ts";
import { createSetup } from "../../_setup.ts";
import { setForward } from "../../_stopped-clock.ts";

const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7, firstName: "Ada" }),
  }),
  rename: defineRpcMethod({
    handler: (_, { user, updateUser }) => updateUser({ id: 7, ...user, firstName: "Eve" }),
  }),
};

let table: Table;
const { start } = createSetup("memory", "request", () => createUnheardDriver());

/** A storage for several processes that pushes no changes. */
function createUnheardDriver() {
  return defineStorageDriver({
    name: "table",
    atomic: "cluster",
    createAdapter() {
      const { watch: _, ...adapter } = openTable(table);
      const capabilities = { atomic: "cluster", changes: "unheard", ttl: "stored" } as const;
      return { ...adapter, capabilities };
    },
  });
}

/** Two servers on one storage, and one visitor at both who has just called the second. */
async function startTwo(cache: SessionConfig["cache"]) {
  table = createTable();
  const session = cache === undefined ? {} : { cache };
  const [first, second] = [await start({ methods, session }), await start({ methods, session })];
  const one = first.client();
  const two = second.client();
  await one.call("enter");
  for (const [name, value] of one.cookies) two.cookies.set(name, value);
  await two.call("getUser");
  return { one, two };
}

/** The number of reads of the storage. */
async function countReads(run: () => Promise<unknown>): Promise<number> {
  const before = table.reads;
  await run();
  return table.reads - before;
}

function openShared(): DefaultSessionCacheStrategy {
  const store = openDocumentStore(openDriver({ driver: "memory" }), createTestLog());
  onTestFinished(() => store.close());
  return new DefaultSessionCacheStrategy(store);
}

test("a call reads a storage without pushed changes twice, and with a strategy not at all", async () => {
  for (const [cache, reads] of [
    [undefined, 2],
    [{ ttl: 60 }, 2],
    [{ ttl: 60, strategy: new InMemorySessionCacheStrategy() }, 0],
    [{ ttl: 60, strategy: openShared() }, 0],
  ] as const) {
    const { two } = await startTwo(cache);
    for (let call = 0; call < 3; call++) {
      const count = await countReads(async () => {
        expect((await two.call("getUser")).body.user.firstName).toBe("Ada");
      });
      expect(count).toBe(reads);
    }
  }
});

test("a strategy that servers share ends a session on all of them at the same time", async () => {
  const { one, two } = await startTwo({ ttl: 60, strategy: openShared() });
  expect((await two.call("getUser")).body.user).toBeDefined();
  await one.call("logout");
  expect((await two.call("getUser")).body.user).toBeUndefined();
});

test("a strategy in each process shows a change of another server after the ttl at the latest", async () => {
  const { one, two } = await startTwo({ ttl: 1, strategy: new InMemorySessionCacheStrategy() });
  const third = await start({
    methods,
    session: { cache: { ttl: 1, strategy: new InMemorySessionCacheStrategy() } },
  });
  const three = third.client();
  for (const [name, value] of two.cookies) three.cookies.set(name, value);
  await three.call("getUser");
  await one.call("logout");
  setForward(1000);
  expect((await three.call("getUser")).body.user).toBeUndefined();
});

test("a server sees its own changes immediately, whatever its strategy holds", async () => {
  const strategy = new InMemorySessionCacheStrategy();
  const { two } = await startTwo({ ttl: 60, strategy });
  await two.call("rename");
  expect((await two.call("getUser")).body.user.firstName).toBe("Eve");
  const twin = two.clone();
  await two.call("logout");
  expect((await twin.call("getUser")).body.user).toBeUndefined();
});

test("a write with a session that another server has ended is rejected", async () => {
  const strategy = new InMemorySessionCacheStrategy();
  const { one } = await startTwo({ ttl: 60 });
  const second = await start({ methods, session: { cache: { ttl: 60, strategy } } });
  const two = second.client();
  for (const [name, value] of one.cookies) two.cookies.set(name, value);
  await two.call("getUser");
  await one.call("logout");
  const { status, body } = await two.call("rename");
  expect([status, body.code]).toEqual([409, "session_changed"]);
  // The typed client repeats the call: now the server knows more.
  expect((await two.call("rename")).body.code).toBe("session_ended");
  expect((await two.call("getUser")).body.user).toBeUndefined();
});
