import { describe, expect, onTestFinished, test } from "vitest";
import {
  defineStorageDriver,
  type Expected,
  type StorageAdapter,
} from "../../../storage/documents/adapter.ts";
import type {
  ChangeListener,
  Atomicity,
  DocumentStore,
} from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { SessionGenerations } from "../../../storage/sessions/generations.ts";
import { SessionCache } from "../../../storage/sessions/session-cache.ts";
import type { SessionRecord } from "../../../storage/sessions/session-record.ts";
import { isMark, toFound } from "../../../storage/sessions/session.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { testSessionSettings } from "../../_setup.ts";

const key = "3f1d0d5e-0000-4000-8000-000000000000";
const inAnHour = Date.now() + 3_600_000;
const record: SessionRecord = {
  id: key,
  createdAt: 0,
  lastSeenAt: 0,
  handle: "h",
  ownerKey: "o",
  customData: {},
};
const isAny = (value: unknown): value is SessionRecord => value !== undefined;

/** A table that several processes share, as a database is. */
class Table {
  readonly #texts = new Map<string, string>();
  readonly #listeners = new Set<ChangeListener>();
  reads = 0;

  /** The adapter of one process: it swaps, and pushes changes only if `atomicity` says so. */
  openAdapter(atomicity: Atomicity): StorageAdapter {
    const isPushed = atomicity.atomic === "cluster" && atomicity.changes === "pushed";
    return {
      capabilities: { ...atomicity, ttl: "stored" },
      read: async (path) => {
        this.reads++;
        return this.#texts.get(path);
      },
      swap: async (path, expected, next) => {
        const current = this.#texts.get(path);
        if (!isExpected(current, expected)) return { swapped: false, current };
        this.#put(path, next?.text);
        return { swapped: true };
      },
      take: async (path) => {
        const current = this.#texts.get(path);
        this.#put(path, undefined);
        return current;
      },
      setAside: async (path) => ({ swapped: false, current: this.#texts.get(path) }),
      ping: async () => {},
      close: async () => {},
      ...(isPushed && {
        watch: (_prefix: string, tell: ChangeListener) => {
          this.#listeners.add(tell);
          return { isUp: () => true, close: () => void this.#listeners.delete(tell) };
        },
      }),
    };
  }

  #put(path: string, text: string | undefined): void {
    if (text === undefined) this.#texts.delete(path);
    else this.#texts.set(path, text);
    for (const tell of this.#listeners) tell(path);
  }
}

function isExpected(current: string | undefined, { match, text }: Expected): boolean {
  if (current === undefined) return match === "absent";
  return match === "prefix" ? current.startsWith(text) : match === "exact" && current === text;
}

function openServer(store: DocumentStore) {
  const feed = store.watch("session");
  const sessions = store.collection("session", isAny);
  const cache = new SessionCache(1, feed, testSessionSettings, { ttl: 300, max: 10 }, store.clock);
  const read = async () => toFound(await sessions.get(`1:${key}`), testSessionSettings);
  const load = async () => {
    const found = cache.peek(key) ?? (await cache.fill(key, read));
    return found === undefined || isMark(found) ? undefined : found.record;
  };
  return { feed, sessions, generations: new SessionGenerations(store, feed), cache, load };
}

function openTwo(atomicity: Atomicity) {
  const table = new Table();
  const [one, two] = [1, 2].map(() => {
    const { atomic } = atomicity;
    const createAdapter = () => table.openAdapter(atomicity);
    const driver = defineStorageDriver({ name: "table", atomic, createAdapter });
    const store = openDocumentStore(driver, createTestLog());
    onTestFinished(() => store.close());
    return openServer(store);
  });
  if (one === undefined || two === undefined) throw new Error("There are two servers");
  return { table, one, two };
}

describe("a storage that is atomic across processes", () => {
  test("gets a read per session and generation if it can't push changes", async () => {
    const { one, two } = openTwo({ atomic: "cluster", changes: "unheard" });
    await one.sessions.update(`1:${key}`, () => ({ set: record, expiresAt: inAnHour }));
    const first = await two.generations.ensure(1);
    expect(await two.load()).toEqual(record);
    expect(two.cache.peek(key)).toBeUndefined();
    await one.sessions.take(`1:${key}`);
    await one.generations.advance([1]);
    expect(await two.load()).toBeUndefined();
    expect(await two.generations.current()).not.toEqual(first);
    expect(two.feed.isUp()).toBe(false);
  });

  test("gets no second read if it pushes changes, and this process learns of an end elsewhere", async () => {
    const { table, one, two } = openTwo({ atomic: "cluster", changes: "pushed" });
    await one.sessions.update(`1:${key}`, () => ({ set: record, expiresAt: inAnHour }));
    await two.load();
    const { reads } = table;
    expect(await two.load()).toEqual(record);
    expect(table.reads).toBe(reads);
    await one.sessions.take(`1:${key}`);
    expect(await two.load()).toBeUndefined();
  });
});

test("a storage of one process is trusted, because that process makes all changes", async () => {
  const store = openDocumentStore(openDriver({ driver: "memory" }), createTestLog());
  onTestFinished(() => store.close());
  expect(store.capabilities).toEqual({ atomic: "process", ttl: "stored" });
  expect(openServer(store).feed.isUp()).toBe(true);
});
