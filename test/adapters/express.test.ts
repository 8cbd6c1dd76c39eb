import { afterEach, expect, test, vi } from "vitest";
import { type ExpressStoreOptions } from "../../adapters/express.ts";
import { StorageUnavailableError } from "../../storage/documents/unavailable.ts";
import { brokenDriver, describeOnStorages, describeWithPeers } from "../_adapters.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { type Callback, openRaw } from "../fixtures/express-store.ts";

afterEach(() => void vi.useRealTimers());

describeWithPeers("a store for express-session", () => {
  describeOnStorages("called by itself", (createStorage) => {
    const data = { cookie: { expires: null }, user: { id: 7 }, list: [1, null, "a"] };

    test("returns sessions unchanged", async () => {
      const store = open({ storage: createStorage() });
      expect(await store.get("a")).toBeUndefined();
      await store.set("a", data);
      expect(await store.get("a")).toEqual(data);
      await store.set("a", { cookie: {}, other: true });
      expect(await store.get("a")).toEqual({ cookie: {}, other: true });
      expect(await store.get("A")).toBeUndefined();
    });

    test("expires a session with its cookie, or after the ttl", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const start = Date.now();
      const store = open({ storage: createStorage(), ttl: 60 });
      const expires = new Date(start + 10_000);
      const ends = [
        ["date", { cookie: { expires } }, 10_000],
        ["text", { cookie: { expires: expires.toISOString() } }, 10_000],
        ["maxAge", { cookie: { maxAge: 20_000 } }, 20_000],
        ["none", data, 60_000],
      ] as const;
      for (const [id, session] of ends) await store.set(id, session);
      for (const [id, , end] of ends) {
        vi.setSystemTime(start + end - 1);
        expect(await store.get(id)).toBeDefined();
        vi.setSystemTime(start + end);
        expect(await store.get(id)).toBeUndefined();
      }
    });

    test("extends a session without changing its data, and only if it exists", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const start = Date.now();
      const store = open({ storage: createStorage() });
      const cookie = { expires: new Date(start + 10_000).toISOString() };
      const later = { expires: new Date(start + 20_000).toISOString() };
      await store.set("a", { cookie, count: 1 });
      const read = (await store.get("a")) as object;
      await store.set("a", { cookie, count: 2 });
      await store.touch("a", { ...read, cookie: later });
      await store.touch("b", { cookie: later });
      vi.setSystemTime(start + 19_999);
      expect(await store.get("a")).toEqual({ cookie: later, count: 2 });
      expect(await store.get("b")).toBeUndefined();
      vi.setSystemTime(start + 20_000);
      await store.touch("a", { cookie: { maxAge: 60_000 } });
      expect(await store.get("a")).toBeUndefined();
    });

    test("doesn't store a destroyed session again within destroyedTtl", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const store = open({ storage: createStorage(), destroyedTtl: 60 });
      await store.set("a", data);
      await store.destroy("a");
      await store.destroy("never-stored");
      const destroyedAt = Date.now();
      for (const id of ["a", "never-stored"]) {
        await store.set(id, data);
        await store.touch(id, data);
        expect(await store.get(id)).toBeUndefined();
      }
      vi.setSystemTime(destroyedAt + 60_000);
      await store.set("a", data);
      expect(await store.get("a")).toEqual(data);
    });

    test("never stores a session again that was read or stored before its end", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const storage = createStorage();
      const [one, two] = [open({ storage }), open({ storage, destroyedTtl: 60 })];
      const created = { ...data };
      await one.set("a", created);
      const slow = (await one.get("a")) as object;
      await two.destroy("a");
      vi.setSystemTime(Date.now() + 3_600_000);
      for (const session of [created, slow]) {
        await one.set("a", session);
        expect(await two.get("a")).toBeUndefined();
      }
      // Under another id it is another session.
      await one.set("b", slow);
      expect(await two.get("b")).toEqual(data);
    });

    test("keeps the changes, additions and removals of parallel requests", async () => {
      const storage = createStorage();
      const [one, two] = [open({ storage }), open({ storage })];
      await one.set("a", { cookie: {}, changed: { deep: 1 }, removed: 1, same: 1 });
      type Data = { changed?: { deep: number }; removed?: number; added?: number; same: number };
      const [a, b] = [(await one.get("a")) as Data, (await two.get("a")) as Data];
      if (a.changed) a.changed.deep = 2;
      delete b.removed;
      b.added = 3;
      await one.set("a", a);
      await two.set("a", b);
      const all = { cookie: {}, changed: { deep: 2 }, same: 1, added: 3 };
      expect(await one.get("a")).toEqual(all);
      // The first session object keeps the fields that others added since.
      a.same = 4;
      await one.set("a", a);
      expect(await one.get("a")).toEqual({ ...all, same: 4 });
    });
  });

  test("passes errors to the callbacks, or logs them", async () => {
    const { log, lines } = createTestLog();
    const { store } = openRaw({ storage: brokenDriver, log });
    const session = { cookie: {} };
    const calls = [
      (callback: Callback) => store.get("a", callback),
      (callback: Callback) => store.set("a", session, callback),
      (callback: Callback) => store.touch("a", session, callback),
      (callback: Callback) => store.destroy("a", callback),
    ];
    for (const call of calls) {
      const error = await new Promise(call);
      expect(error).toBeInstanceOf(StorageUnavailableError);
    }
    expect(lines).toEqual([]);
    store.destroy("a");
    await vi.waitFor(() => expect(lines).toMatchObject([{ level: "error" }]));
    const unfit = await new Promise((resolve) => store.set("a", { big: 1n }, resolve));
    expect(unfit).toBeInstanceOf(TypeError);
  });

  test("rejects invalid options", () => {
    const storage = { driver: "memory" };
    expect(() => openRaw({ storage: { driver: "Redis" } })).toThrow("redis?");
    expect(() => openRaw({ storage, ttl: 0 })).toThrow("ttl");
    expect(() => openRaw({ storage, destroyedTtl: -1 })).toThrow("destroyedTtl");
  });
});

// --- Internal helpers ---

/** A store whose callbacks are promises. */
function open(options: ExpressStoreOptions) {
  const { store } = openRaw(options);
  return {
    get: (id: string) => toPromise((callback) => store.get(id, callback)),
    set: (id: string, data: object) => toPromise((callback) => store.set(id, data, callback)),
    touch: (id: string, data: object) => toPromise((callback) => store.touch(id, data, callback)),
    destroy: (id: string) => toPromise((callback) => store.destroy(id, callback)),
  };
}

function toPromise(call: (callback: Callback) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error as Error) : resolve(value)));
  });
}
