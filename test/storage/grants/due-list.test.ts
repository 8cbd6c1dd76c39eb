import { expect, onTestFinished, test, vi } from "vitest";
import createMemoryDriver from "unstorage/drivers/memory";
import { DueList, hourOf, type DueEntry } from "../../../storage/grants/due-list.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { readStored } from "../../fixtures/stored.ts";

const now = Math.floor(Date.now() / 1000);

/** A list on a memory driver that the test can read. */
function open() {
  const driver = createMemoryDriver();
  const store = openDocumentStore(driver, { log: createTestLog().log });
  onTestFinished(() => store.close());
  return { list: new DueList(store), driver };
}

function toEntry(handle: string, second = now, isEnding = false): DueEntry {
  return { shopId: 1001, handle, second, isEnding };
}

/** Adds entries of one shard. */
async function addToShard(list: DueList, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, at) => from + at);
  await Promise.all(numbers.map((number) => list.add(toEntry(`${number}-of-a-shard`))));
}

async function readHour(list: DueList, second = now): Promise<DueEntry[]> {
  const found: DueEntry[] = [];
  for await (const { entries } of list.read(hourOf(second * 1000))) found.push(...entries);
  return found;
}

test("returns the entries of an hour as they were added", async () => {
  const { list } = open();
  const entries = [toEntry("a"), toEntry("b", now, true), toEntry("c", now + 7200)];
  for (const entry of entries) await list.add(entry);
  expect((await readHour(list)).toSorted((a, b) => (a.handle < b.handle ? -1 : 1))).toEqual(
    entries.slice(0, 2),
  );
  expect(await readHour(list, now + 7200)).toEqual(entries.slice(2));
});

test("keeps all entries that are added in parallel, in documents of limited size", async () => {
  const { list, driver } = open();
  const other = new DueList(openDocumentStore(driver, { log: createTestLog().log }));
  const keys = Array.from({ length: 3000 }, (_, at) => `session-${at}`);
  await Promise.all(keys.map((key, at) => (at % 2 ? list : other).add(toEntry(key))));
  const found = (await readHour(list)).map(({ handle }) => handle);
  expect(found.toSorted()).toEqual(keys.toSorted());
  const pages = await readStored(driver, "commerce-due:");
  expect(pages.length).toBeGreaterThan(15);
  for (const { value, text } of pages) {
    expect(value.length).toBeLessThanOrEqual(200);
    expect(text.length).toBeLessThan(10_000);
  }
});

test("removes entries, and still finds the pages behind an empty one", async () => {
  const { list } = open();
  const entries = Array.from({ length: 3000 }, (_, at) => toEntry(`session-${at}`));
  await Promise.all(entries.map((entry) => list.add(entry)));
  const last: DueEntry[] = [];
  for await (const { key, entries: found } of list.read(hourOf(now * 1000))) {
    if (key.endsWith(":0")) await list.remove(key, found);
    else last.push(...found);
  }
  expect(last.length).toBeGreaterThan(1000);
  expect(await readHour(list)).toEqual(last);
  await list.add(toEntry("new"));
  expect((await readHour(list)).map(({ handle }) => handle)).toContain("new");
});

test("finds the page with room immediately in a new process, however many pages are full", async () => {
  const { list, driver } = open();
  await addToShard(list, 0, 2100);
  const reads = vi.spyOn(driver, "getItemRaw" as "getItem");
  const fresh = new DueList(openDocumentStore(driver, { log: createTestLog().log }));
  await addToShard(fresh, 2100, 2101);
  // The first page, the number of the last page, and that page, which a write reads twice.
  expect(reads.mock.calls.length).toBe(4);
  expect(await readHour(fresh)).toHaveLength(2101);
});

test("continues behind the last page if another process has filled it", async () => {
  const { list, driver } = open();
  const other = new DueList(openDocumentStore(driver, { log: createTestLog().log }));
  await addToShard(list, 0, 250);
  await addToShard(other, 250, 900);
  await addToShard(list, 900, 1000);
  expect(await readHour(list)).toHaveLength(1000);
});
