import { createStorage, type Driver } from "unstorage";
import {
  asideSeconds,
  pingKey,
  pingSeconds,
  type AdapterOptions,
  type StorageAdapter,
  type Expected,
} from "./adapter.ts";
import { createClientListener } from "./driver-client.ts";
import { parseEnvelope, toEnvelope } from "./envelope.ts";
import { createExpirySweeper } from "./expiry-sweeper.ts";
import { isFileDriver, isCloudflareKv, readsOverHttp, takesBytes } from "./driver.ts";
import { describeError } from "../../shared/log.ts";
import type { KeyedMutex } from "./keyed-mutex.ts";
import { createDriverCalls } from "./unavailable.ts";

/**
 * Creates the adapter for any unstorage driver: atomic within this process, which removes expired documents.
 *
 * @param mutex locks keys; the sweep uses it, too
 * @throws TypeError if the driver can't write
 */
export function createDriverAdapter(
  driver: Driver,
  mutex: KeyedMutex,
  { log, clock }: AdapterOptions,
): StorageAdapter {
  assertWritable(driver);
  const storage = createStorage({ driver });
  const listen = createClientListener(driver, log);
  const calls = createDriverCalls(listen);
  const sweeper = createExpirySweeper(clock, (key) => mutex(key, () => expire(key)));
  const isKv = isCloudflareKv(driver);
  // An LRU cache evicts by itself, and a list of its expiry times could grow larger than the cache. In a worker, no timer
  // runs between requests, so Cloudflare KV removes documents.
  const removesItself = isKv || driver.name === "lru-cache";
  const isGivenBytes = takesBytes(driver);
  const isOverHttp = readsOverHttp(driver);
  if (!removesItself) void findEarlierDocuments();
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
      const written = write(key, next.text, next.expiresAt);
      if (written !== undefined) await written;
      if (next.expiresAt !== undefined && !removesItself) sweeper.add(key, next.expiresAt);
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
      const expiresAt = clock.now() + asideSeconds * 1000;
      // Stored as a document: otherwise the sweep of a later process couldn't read when it expires.
      await write(aside, toEnvelope(JSON.stringify(text), expiresAt).text, expiresAt);
      if (!removesItself) sweeper.add(aside, expiresAt);
      await remove(key);
      return { swapped: true };
    },
    async ping() {
      await read(pingKey);
      const expiresAt = clock.now() + pingSeconds * 1000;
      await write(pingKey, toEnvelope("1", expiresAt).text, expiresAt);
      if (!removesItself) sweeper.add(pingKey, expiresAt);
    },
    async close() {
      sweeper.stop();
      try {
        await calls.read(storage.dispose());
      } catch (error) {
        // Don't throw: the process and the other storages must still close.
        const reason = describeError(error);
        log.warn("A storage could not be closed", { driver: driver.name, reason });
      }
    },
  };

  /** Reads a text, and trusts it to come from the storage. Over HTTP, it can come from a proxy. */
  function read(key: string): string | undefined | Promise<string | undefined> {
    const found = readAny(key);
    return isOverHttp ? Promise.resolve(found).then((text) => toOwn(key, text)) : found;
  }

  /** Calls the driver directly, because the keys of documents need no normalization. Synchronous if the driver is. */
  function readAny(key: string): string | undefined | Promise<string | undefined> {
    calls.admit(key);
    // The http driver throws a TypeError if there is no item (1.17), so check first.
    if (driver.name === "http") return calls.read(readIfThere(key));
    const raw: unknown =
      driver.getItemRaw === undefined ? storage.getItemRaw(key) : driver.getItemRaw(key, {});
    const isHere = typeof raw === "string" || raw === null || raw === undefined;
    return isHere ? (raw ?? undefined) : calls.read(Promise.resolve(raw).then(toText));
  }

  async function readIfThere(key: string): Promise<string | undefined> {
    return (await storage.hasItem(key)) ? toText(await storage.getItemRaw(key)) : undefined;
  }

  /** Calls the driver directly, as `read` does. */
  function write(key: string, text: string, expiresAt?: number): undefined | Promise<unknown> {
    calls.admit(key);
    const value = isGivenBytes ? Buffer.from(text) : text;
    const options =
      isKv && expiresAt !== undefined ? { ttl: toKvTtl(expiresAt - clock.now()) } : {};
    const written: unknown =
      driver.setItemRaw === undefined
        ? storage.setItemRaw(key, value, options)
        : driver.setItemRaw(key, value, options);
    return isThenable(written) ? calls.change(key, written) : undefined;
  }

  /** With files, the key itself can't be a folder, because it is the name of a file. */
  function toAsideKey(key: string): string {
    return isFileDriver(driver) ? `${key}.unreadable` : `${key}:unreadable`;
  }

  async function remove(key: string): Promise<void> {
    // Not with `storage`: it ignores the errors that the fs drivers return instead of throwing.
    calls.admit(key);
    const removed: unknown = driver.removeItem?.(key, {});
    const result: unknown = isThenable(removed) ? await calls.change(key, removed) : removed;
    if (result instanceof Error) throw result;
    sweeper.delete(key);
  }

  async function expire(key: string): Promise<number | undefined> {
    // Not `read`: a text of another program would cause a new attempt each minute.
    const text = await readAny(key);
    const expiresAt = text === undefined ? undefined : parseEnvelope(text)?.expiresAt;
    if (expiresAt === undefined || expiresAt > clock.now()) return expiresAt;
    await remove(key);
    return undefined;
  }

  /** Adds the documents of an earlier process, so that the sweep reads once when they expire. */
  async function findEarlierDocuments(): Promise<void> {
    const listing = storage.getKeys().catch(() => []);
    listen();
    const keys = await listing;
    for (const key of keys) sweeper.add(key, 0);
  }
}

/** @throws TypeError if a driver can't write */
export function assertWritable(driver: Driver): void {
  const writes = (driver.setItem ?? driver.setItemRaw) && driver.removeItem;
  const { readOnly = false } = (driver.options ?? {}) as { readOnly?: boolean };
  if (writes === undefined || readOnly) {
    throw new TypeError(`The storage driver "${driver.name}" cannot write`);
  }
}

// --- Internal helpers ---

/** Seconds until KV removes a text: 60 at least. The store itself ignores an expired text. */
function toKvTtl(milliseconds: number): number {
  return Math.max(60, Math.ceil(milliseconds / 1000));
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}

function isAsExpected(current: string | undefined, { match, text }: Expected): boolean {
  if (current === undefined) return match === "absent";
  if (match === "prefix") return current.startsWith(text);
  return match === "exact" && current === text;
}

/** @throws Error if a text isn't a document. It says nothing about the document itself, so that nothing replaces that. */
function toOwn(key: string, text: string | undefined): string | undefined {
  if (text === undefined || parseEnvelope(text) !== undefined) return text;
  const found = /^\s*</.test(text) ? "an HTML page" : "something else";
  throw new Error(
    `The read of "${key}" returned ${found} instead of a document (${text.length} characters). Check the proxies in front of the storage; if the document is damaged, remove it`,
  );
}

/** Drivers return the text, its bytes, or (upstash) the parsed JSON. */
function toText(raw: unknown): string | undefined {
  if (raw === null || raw === undefined) return undefined;
  if (typeof raw === "string") return raw;
  if (raw instanceof Uint8Array || raw instanceof ArrayBuffer) return new TextDecoder().decode(raw);
  // The fs drivers return errors instead of throwing.
  if (raw instanceof Error) throw raw;
  return JSON.stringify(raw);
}
