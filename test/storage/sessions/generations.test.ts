import { describe, expect, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { isOutdated, SessionGenerations } from "../../../storage/sessions/generations.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createDirectory } from "../../_documents.ts";
import { createFaultyDriver } from "../../_faulty-driver.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeTwoServers } from "../../fixtures/two-servers.ts";

function open(faulty = createFaultyDriver()) {
  const store = openDocumentStore(faulty.driver, createTestLog());
  return { faulty, generations: new SessionGenerations(store, store.watch("session")) };
}

async function idOf(generations: SessionGenerations, shopId: number): Promise<string | undefined> {
  return (await generations.current())[shopId]?.id;
}

describeTwoServers("the first sessions of a shop", ({ startTwo, stored }) => {
  test("belong to one generation if two servers create them in parallel", async () => {
    const servers = await startTwo();
    const clients = servers.flatMap(({ client }) => [client(), client()]);
    await Promise.all(clients.map((one, index) => one.call("enter", { id: index + 1 })));
    const records = await stored("session:");
    expect(records).toHaveLength(4);
    expect(new Set(records.map(({ value }) => value.generation)).size).toBe(1);
    for (const server of servers) {
      for (const { cookies } of clients) {
        const twin = server.client();
        for (const [name, value] of cookies) twin.cookies.set(name, value);
        expect((await twin.call("getUser")).body.user).toBeDefined();
      }
    }
  });
});

describe("the generation of a shop's sessions", () => {
  test("stays the same random value until all sessions of the shop end", async () => {
    const { generations } = open();
    await generations.ensure(1001);
    await generations.ensure(1002);
    const [first, other] = [await idOf(generations, 1001), await idOf(generations, 1002)];
    expect(first).toMatch(/^[0-9a-z]{10}$/);
    expect(other).not.toBe(first);
    await generations.ensure(1001);
    expect(await idOf(generations, 1001)).toBe(first);
    await generations.advance([1001]);
    expect(await idOf(generations, 1001)).not.toBe(first);
    expect(await idOf(generations, 1002)).toBe(other);
  });

  test("comes from one of two servers that start in parallel, in memory", async () => {
    const faulty = createFaultyDriver();
    const servers = [open(faulty).generations, open(faulty).generations];
    await Promise.all(servers.map((generations) => generations.ensure(1001)));
    const [first, second] = await Promise.all(servers.map((server) => idOf(server, 1001)));
    expect(first).toBe(second);
  });

  test("comes from the storage if two processes wrote one each", async () => {
    const directory = await createDirectory();
    const processes = [1, 2].map(() => {
      const driver = openDriver({ driver: "fs", base: directory });
      const store = openDocumentStore(driver, createTestLog());
      return new SessionGenerations(store, store.watch("session"));
    });
    await Promise.all(processes.map((generations) => generations.ensure(1001)));
    const [first, second] = await Promise.all(processes.map((process) => idOf(process, 1001)));
    expect(first).toBe(second);
  });

  test("needs one read while the feed is up, and another after a change", async () => {
    const { faulty, generations } = open();
    await Promise.all([generations.current(), generations.current()]);
    expect(generations.current()).toEqual({});
    expect(faulty.operations).toHaveLength(1);
    await generations.advance([1001]);
    expect(await idOf(generations, 1001)).toBeDefined();
  });

  test("needs another read after a failed read", async () => {
    const { faulty, generations } = open();
    faulty.before = () => {
      throw new Error("out of order");
    };
    await expect(generations.current()).rejects.toThrow();
    faulty.heal();
    expect(await generations.current()).toEqual({});
  });

  test("bypasses the cache while the feed is down", async () => {
    const faulty = createFaultyDriver();
    const store = openDocumentStore(faulty.driver, createTestLog());
    const feed = { isUp: () => false, listen: () => {}, close: () => {} };
    const generations = new SessionGenerations(store, feed);
    await generations.current();
    await generations.current();
    expect(faulty.operations).toHaveLength(2);
  });

  test.each([
    ["none is known", {}, { generation: "a" }],
    ["it is another", { 1001: { id: "b", legacy: 0 } }, { generation: "a" }],
    ["its name is inherited", Object.create({ 1001: { id: "a" } }), { generation: "a" }],
    ["all older sessions were ended", { 1001: { id: "a" } }, {}],
    ["older sessions of this number were ended", { 1001: { id: "a", legacy: 2 } }, { epoch: 1 }],
    ["none is known, for an older session", {}, {}],
  ])("ends a session if %s", (_, generations, session) => {
    expect(isOutdated(generations, 1001, session)).toBe(true);
  });

  test.each([
    ["it is the same", { generation: "a" }],
    ["the session is older, and of the number that is valid", { epoch: 2 }],
  ])("keeps a session if %s", (_, session) => {
    expect(isOutdated({ 1001: { id: "a", legacy: 2 } }, 1001, session)).toBe(false);
  });
});
