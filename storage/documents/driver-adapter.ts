import { createStorage, type Driver } from "unstorage";
import {
  asideSeconds,
  pingKey,
  pingSeconds,
  type StorageAdapter,
  type Expected,
} from "./adapter.ts";
import { DriverCalls } from "./driver-calls.ts";
import { createClientListener } from "./driver-client.ts";
import { takesBytes } from "./driver-kinds.ts";
import { parseEnvelope, toEnvelope } from "./envelope.ts";
import { ExpirySweeper } from "./expiry-sweeper.ts";
import { isFileDriver } from "./driver.ts";
import { describeError, type Logger } from "../../shared/log.ts";
import type { KeyedMutex } from "./keyed-mutex.ts";

/**
 * Documents in any unstorage driver: atomic within this process, which removes what expired.
 *
 * @param mutex guards the keys; the sweep takes its turn in it
 * @throws TypeError where the driver cannot write
 */
export function createDriverAdapter(
  driver: Driver,
  mutex: KeyedMutex,
  log: Logger,
): StorageAdapter {
  assertWritable(driver);
  const storage = createStorage({ driver });
  const listen = createClientListener(driver, log);
  const calls = new DriverCalls(listen);
  const sweeper = new ExpirySweeper((key) => mutex(key, () => expire(key)));
  // A cache drops what is old by itself, and what is remembered of it should not outgrow it.
  const isCache = driver.name === "lru-cache";
  const isGivenBytes = takesBytes(driver);
  if (!isCache) void findEarlierDocuments();
  return {
    capabilities: { atomic: "process", ttl: "stored" },
    async read(key) {
      return read(key);
    },
    async swap(key, expected, next) {
      const found = read(key);
      const current = found instanceof Promise ? await found : found;
      if (!isAsExpected(current, expected)) return { swapped: false, current };
      if (next === undefined) {
        if (current !== undefined) await remove(key);
        return { swapped: true };
      }
      const written = write(key, next.text);
      if (written !== undefined) await written;
      if (next.expiresAt !== undefined && !isCache) sweeper.add(key, next.expiresAt);
      return { swapped: true };
    },
    async take(key) {
      const current = await read(key);
      if (current !== undefined) await remove(key);
      return current;
    },
    async setAside(key, text) {
      const current = await read(key);
      if (current !== text) return { swapped: false, current };
      const aside = toAsideKey(key);
      const expiresAt = Date.now() + asideSeconds * 1000;
      // It is a document, too: otherwise the sweep of a later process could not read when it expires.
      await write(aside, toEnvelope(JSON.stringify(text), expiresAt).text);
      if (!isCache) sweeper.add(aside, expiresAt);
      await remove(key);
      return { swapped: true };
    },
    async ping() {
      await read(pingKey);
      const { text } = toEnvelope("1", Date.now() + pingSeconds * 1000);
      await write(pingKey, text);
      if (!isCache) sweeper.add(pingKey, Date.now() + pingSeconds * 1000);
    },
    async close() {
      sweeper.stop();
      try {
        await calls.read(storage.dispose());
      } catch (error) {
        // The end of a process or of the other storages must not depend on it.
        const reason = describeError(error);
        log.warn("A storage could not be closed", { driver: driver.name, reason });
      }
    },
  };

  /** Past unstorage, which normalises each key anew, though ours are normal; and at once where the driver is. */
  function read(key: string): string | undefined | Promise<string | undefined> {
    calls.admit(key);
    // The http driver fails on what is not there (TypeError in 1.17), so it is asked first.
    if (driver.name === "http") return calls.read(readIfThere(key));
    const raw: unknown =
      driver.getItemRaw === undefined ? storage.getItemRaw(key) : driver.getItemRaw(key, {});
    const isHere = typeof raw === "string" || raw === null || raw === undefined;
    return isHere ? (raw ?? undefined) : calls.read(Promise.resolve(raw).then(toText));
  }

  async function readIfThere(key: string): Promise<string | undefined> {
    return (await storage.hasItem(key)) ? toText(await storage.getItemRaw(key)) : undefined;
  }

  /** As `read`. */
  function write(key: string, text: string): undefined | Promise<unknown> {
    calls.admit(key);
    const value = isGivenBytes ? Buffer.from(text) : text;
    const written: unknown =
      driver.setItemRaw === undefined
        ? storage.setItemRaw(key, value)
        : driver.setItemRaw(key, value, {});
    return isThenable(written) ? calls.change(key, written) : undefined;
  }

  /** With files, the key itself can't be a folder, because it is the name of a file. */
  function toAsideKey(key: string): string {
    return isFileDriver(driver) ? `${key}.unreadable` : `${key}:unreadable`;
  }

  async function remove(key: string): Promise<void> {
    // Not by `storage`, which drops the error that the fs drivers return instead of throwing it.
    calls.admit(key);
    const removed: unknown = driver.removeItem?.(key, {});
    const result: unknown = isThenable(removed) ? await calls.change(key, removed) : removed;
    if (result instanceof Error) throw result;
    sweeper.delete(key);
  }

  async function expire(key: string): Promise<number | undefined> {
    const text = await read(key);
    const expiresAt = text === undefined ? undefined : parseEnvelope(text)?.expiresAt;
    if (expiresAt === undefined || expiresAt > Date.now()) return expiresAt;
    await remove(key);
    return undefined;
  }

  /** Documents of an earlier process: the sweep looks at each once, and learns when it ends. */
  async function findEarlierDocuments(): Promise<void> {
    const listing = storage.getKeys().catch(() => []);
    listen();
    const keys = await listing;
    for (const key of keys) sweeper.add(key, 0);
  }
}

// --- Internal helpers ---

function assertWritable(driver: Driver): void {
  const writes = (driver.setItem ?? driver.setItemRaw) && driver.removeItem;
  const { readOnly = false } = (driver.options ?? {}) as { readOnly?: boolean };
  if (writes === undefined || readOnly) {
    throw new TypeError(`The storage driver "${driver.name}" cannot write`);
  }
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}

function isAsExpected(current: string | undefined, { match, text }: Expected): boolean {
  if (current === undefined) return match === "absent";
  if (match === "prefix") return current.startsWith(text);
  return match === "exact" && current === text;
}

/** Drivers hand back the text they were given, or its bytes, or (upstash) what JSON makes of it. */
function toText(raw: unknown): string | undefined {
  if (raw === null || raw === undefined) return undefined;
  if (typeof raw === "string") return raw;
  if (raw instanceof Uint8Array || raw instanceof ArrayBuffer) return new TextDecoder().decode(raw);
  // The fs drivers return an error they should throw.
  if (raw instanceof Error) throw raw;
  return JSON.stringify(raw);
}
