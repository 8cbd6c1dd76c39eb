import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStorage, type Driver } from "unstorage";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { systemClock, type Clock } from "../storage/clock.ts";
import {
  type Collection,
  type DocumentStore,
  type Updater,
} from "../storage/documents/documents.ts";
import { openDocumentStore } from "../storage/store.ts";
import { createTestLog, type LogLine } from "../server/testing/test-log.ts";

export interface Counter {
  readonly count: number;
  readonly note?: unknown;
}

export function isCounter(value: unknown): value is Counter {
  return typeof value === "object" && value !== null && "count" in value;
}

export const increment: Updater<Counter> = (counter) => ({
  set: { count: (counter?.count ?? 0) + 1 },
});

export const setTo =
  (count: number, expiresAt?: number): Updater<Counter> =>
  () => ({ set: { count }, expiresAt });

/** A store on a driver, with one collection; both end with the test. */
export function openCounters(
  driver: Driver,
  clock: Clock = systemClock,
): {
  store: DocumentStore;
  counters: Collection<Counter>;
  lines: LogLine[];
} {
  const { log, lines } = createTestLog();
  const store = openDocumentStore(driver, { log, clock });
  onTestFinished(() => store.close());
  return { store, counters: store.collection("counter:1", isCounter), lines };
}

/** Reads the string of a key; `undefined` if there is none. */
export async function readRaw(driver: Driver, key: string): Promise<string | undefined> {
  const raw = await createStorage({ driver }).getItemRaw<string | Uint8Array | Error>(key);
  // The fs drivers return their errors.
  return raw === null || raw instanceof Error ? undefined : Buffer.from(raw).toString();
}

/** An empty directory until the test ends. */
export async function createDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "storefront-documents-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Waits up to 10 seconds until a condition is true. */
export async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (await isDone()) return;
    await sleep(10);
  }
  expect.fail("It did not happen within 10 seconds");
}

/** A driver whose responses arrive a macrotask later, as over a network. */
export function slowDown(driver: Driver, clock: Clock = systemClock): Driver {
  if (driver.name === "redis") return driver;
  const { getItem, getItemRaw = getItem, setItem, setItemRaw = setItem, removeItem } = driver;
  return {
    ...driver,
    getItemRaw: later(getItemRaw),
    setItemRaw: setItemRaw && later(setItemRaw),
    removeItem: removeItem && later(removeItem),
  };

  function later<Args extends unknown[], Result>(run: (...args: Args) => Result) {
    return async (...args: Args): Promise<Awaited<Result>> => {
      await nextMacrotask();
      const result = await run(...args);
      await nextMacrotask();
      return result;
    };
  }

  function nextMacrotask(): Promise<void> {
    return new Promise((resolve) => void clock.setTimeout(resolve, 1));
  }
}
