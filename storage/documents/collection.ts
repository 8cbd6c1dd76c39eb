import { pause, type Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { StorageAdapter, Expected, Replacement, Swap } from "./adapter.ts";
import type { createChanges } from "./changes.ts";
import {
  absent,
  type Change,
  type Collection,
  type Updater,
  type Snapshot,
  type UnreadablePolicy,
} from "./documents.ts";
import { parseEnvelope, toEnvelope, toVersionPrefix } from "./envelope.ts";
import { keyPattern } from "./key.ts";
import type { Logger } from "../../shared/log.ts";
import { assertStorable, isJson } from "./stored-json.ts";
import type { KeyedMutex } from "./keyed-mutex.ts";
import { StorageUnavailableError } from "./unavailable.ts";

/**
 * Opens the documents of one kind.
 *
 * @param storage the storage of the documents, with its locks and its change feeds
 * @param isDocument checks that a stored value is a `T`
 */
export function openCollection<T>(
  storage: {
    readonly adapter: StorageAdapter;
    readonly changes: ReturnType<typeof createChanges>;
    readonly mutex: KeyedMutex;
    readonly log: Logger;
    readonly clock: Clock;
    readonly random: Random;
  },
  name: string,
  isDocument: (value: unknown) => value is T,
  policy: UnreadablePolicy,
): Collection<T> {
  const { adapter, changes, mutex, log, clock, random } = storage;
  return {
    async get(key) {
      const path = toPath(key);
      const snapshot = toSnapshot(await adapter.read(path));
      if (!isUnreadable(snapshot)) return snapshot;
      // Some drivers write in place, so a read can see half a document: wait for the writer.
      return mutex(path, () => read(path));
    },

    update: (key, updater, from) => mutex(`${name}:${key}`, () => apply(key, updater, from)),

    async take(key) {
      const path = toPath(key);
      if (policy === "drop") {
        const text = await mutex(path, () => takeText(path));
        return (await admit(path, text)).value;
      }
      // Check a document that must be kept before it is removed.
      let taken: T | undefined;
      await mutex(path, () =>
        apply(key, (current) => {
          taken = current;
          return current === undefined ? "keep" : "remove";
        }),
      );
      return taken;
    },
  };

  /** Retries on conflict (optimistic concurrency). */
  async function apply(key: string, updater: Updater<T>, from?: Snapshot<T>): Promise<Snapshot<T>> {
    const path = toPath(key);
    // A snapshot that has expired since may have been extended since.
    let current = from === undefined || hasExpired(from) ? await read(path) : from;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const result = updater(current.value, current);
      if (result === "keep") return current;
      const next = toNext(result);
      let swap: Swap | undefined;
      try {
        swap = await adapter.swap(path, toExpected(current.version), next.replacement);
      } finally {
        // Also after an error: the change may have been stored.
        changes.emitOwn(path, swap?.swapped ? next.snapshot : undefined);
      }
      if (swap.swapped) return next.snapshot;
      // A client that reconnects can send a write twice. The second one then finds the first one.
      const isOwn = swap.current !== undefined && swap.current === next.replacement?.text;
      if (isOwn) return next.snapshot;
      current = await admit(path, swap.current);
      await pauseAfter(attempt, random);
    }
    throw tooBusy();
  }

  async function takeText(path: string): Promise<string | undefined> {
    try {
      return await adapter.take(path);
    } finally {
      changes.emitOwn(path);
    }
  }

  async function read(path: string): Promise<Snapshot<T>> {
    return admit(path, await adapter.read(path));
  }

  /** Returns a valid document, and applies the policy to anything else. The caller must hold the key's lock. */
  async function admit(path: string, text: string | undefined): Promise<Snapshot<T>> {
    let found = text;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const snapshot = toSnapshot(found);
      if (found === undefined || !isUnreadable(snapshot)) return snapshot;
      if (policy === "refuse") throw toUnreadableError(path);
      if (policy === "drop") {
        warn("A document that cannot be read was dropped", path);
        return snapshot;
      }
      const moved = await adapter.setAside(path, found);
      changes.emitOwn(path, moved.swapped ? absent : undefined);
      if (moved.swapped) {
        warn("A document that cannot be read was moved to <key>:unreadable for 30 days", path);
        return { ...absent, wasUnreadable: true };
      }
      found = moved.current;
    }
    throw tooBusy();
  }

  /** The next state of a document, as a snapshot and as a text. Without a text, it is removed. */
  function toNext(change: Exclude<Change<T>, "keep">): {
    readonly snapshot: Snapshot<T>;
    readonly replacement?: Replacement;
  } {
    if (change === "remove") return { snapshot: absent };
    const expiresAt = toExpiresAt(change.expiresAt);
    const { json, value } = toJson(change.set);
    // Otherwise, a later read would drop a document that was accepted here.
    if (json === undefined || !accepts(value)) {
      throw new TypeError(
        `${describeNew(name)} lacks a field, or has an invalid one, so it was not stored`,
      );
    }
    if (hasExpired({ expiresAt })) return { snapshot: absent };
    const { version, text } = toEnvelope(json, expiresAt);
    return { snapshot: { value, expiresAt, version }, replacement: { text, expiresAt } };
  }

  /** The JSON of a value, and the value as a later read returns it. @throws TypeError if JSON can't hold a part of it */
  function toJson(set: unknown): { readonly json: string | undefined; readonly value: unknown } {
    if (isJson(set)) return { json: JSON.stringify(set), value: set };
    assertStorable(set, describeNew(name));
    const json = JSON.stringify(set) as string | undefined;
    return { json, value: json === undefined ? undefined : JSON.parse(json) };
  }

  function toSnapshot(text: string | undefined): Snapshot<T> {
    if (text === undefined) return absent;
    const envelope = parseEnvelope(text);
    if (envelope === undefined) return { value: undefined, version: unreadable + text };
    const { version, expiresAt, value } = envelope;
    if (hasExpired(envelope)) return { value: undefined, version };
    if (!accepts(value)) return { value: undefined, version: unreadable + text };
    return { value, expiresAt, version };
  }

  function hasExpired({ expiresAt = Infinity }: Pick<Snapshot<T>, "expiresAt">): boolean {
    return expiresAt <= clock.now();
  }

  function accepts(value: unknown): value is T {
    try {
      return isDocument(value);
    } catch {
      return false;
    }
  }

  /** Logs the key of a document, never its content. */
  function warn(message: string, path: string): void {
    const key = path.slice(name.length + 1);
    log.warn(message, { collection: name, key });
  }

  function tooBusy(): StorageUnavailableError {
    return new StorageUnavailableError(`A document of "${name}" changes too often`);
  }

  function toPath(key: string): string {
    const path = `${name}:${key}`;
    if (!keyPattern.test(path))
      throw new TypeError(`Not a key: ${JSON.stringify(path)}; see toKeySegment`);
    return path;
  }
}

// --- Internal helpers ---

/** Precedes the version of an unreadable text, which is the text itself. */
const unreadable = "!";

/** The latest `Date`, in epoch milliseconds. A document with a later end never expires. */
const lastDate = 8.64e15;

/** About four seconds, with the pauses. */
const maxAttempts = 240;

function isUnreadable({ version }: Snapshot<unknown>): boolean {
  return version.startsWith(unreadable);
}

function toUnreadableError(path: string): StorageUnavailableError {
  return new StorageUnavailableError(
    `The document "${path}" cannot be read. Restore it from a backup, or remove it from the storage.`,
  );
}

/** The beginning of an error about a value that can't be stored. */
function describeNew(name: string): string {
  return `The new value of a document of ${JSON.stringify(name)}`;
}

function toExpected(version: string): Expected {
  if (version === "") return { match: "absent", text: "" };
  return version.startsWith(unreadable)
    ? { match: "exact", text: version.slice(unreadable.length) }
    : { match: "prefix", text: toVersionPrefix(version) };
}

function toExpiresAt(expiresAt = Infinity): number | undefined {
  if (Number.isNaN(expiresAt)) throw new TypeError("expiresAt is not a number");
  return expiresAt > lastDate ? undefined : expiresAt;
}

/**
 * Pauses for a random time after every second conflict; the attempt after that writes immediately. Otherwise a process
 * that changes the document all the time would always win, or two processes would stay in step.
 */
async function pauseAfter(attempt: number, random: Random): Promise<void> {
  if (attempt % 2 === 0) return;
  const longest = Math.min(2 ** ((attempt + 1) / 2), 64);
  await pause(random.between(0, longest));
}
