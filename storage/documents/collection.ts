import type { StorageAdapter, Expected, Replacement, Swap } from "./adapter.ts";
import type { ChangeEmitter } from "./changes.ts";
import type { Change, Collection, Updater, Snapshot, UnreadablePolicy } from "./documents.ts";
import { parseEnvelope, toEnvelope, toVersionPrefix } from "./envelope.ts";
import { isJson } from "./json.ts";
import { isKey } from "./key.ts";
import type { Logger } from "../../shared/log.ts";
import type { KeyedMutex } from "./keyed-mutex.ts";
import { StorageUnavailableError } from "./unavailable.ts";

/** The dependencies of a collection. */
export interface CollectionOptions<T> {
  readonly name: string;
  readonly isDocument: (value: unknown) => value is T;
  readonly unreadable: UnreadablePolicy;
  readonly adapter: StorageAdapter;
  readonly changes: ChangeEmitter;
  readonly mutex: KeyedMutex;
  readonly log: Logger;
}

/** The documents of one kind, in any adapter. */
export class StoredCollection<T> implements Collection<T> {
  readonly #name: string;
  readonly #isDocument: (value: unknown) => value is T;
  readonly #unreadable: UnreadablePolicy;
  readonly #adapter: StorageAdapter;
  readonly #changes: ChangeEmitter;
  readonly #mutex: KeyedMutex;
  readonly #log: Logger;

  constructor(options: CollectionOptions<T>) {
    this.#name = options.name;
    this.#isDocument = options.isDocument;
    this.#unreadable = options.unreadable;
    this.#adapter = options.adapter;
    this.#changes = options.changes;
    this.#mutex = options.mutex;
    this.#log = options.log;
  }

  async get(key: string): Promise<Snapshot<T>> {
    const path = this.#pathOf(key);
    const snapshot = this.#toSnapshot(await this.#adapter.read(path));
    if (!isUnreadable(snapshot)) return snapshot;
    // Some drivers write in place, so a read can see half a document: wait for the writer.
    return this.#mutex(path, () => this.#read(path));
  }

  update(key: string, updater: Updater<T>, from?: Snapshot<T>): Promise<Snapshot<T>> {
    return this.#mutex(`${this.#name}:${key}`, () => this.#update(key, updater, from));
  }

  async take(key: string): Promise<T | undefined> {
    const path = this.#pathOf(key);
    if (this.#unreadable === "drop") {
      const text = await this.#mutex(path, () => this.#takeAndEmit(path));
      return (await this.#admit(path, text)).value;
    }
    // Check a document that must be kept before it is removed.
    let taken: T | undefined;
    await this.update(key, (current) => {
      taken = current;
      return current === undefined ? "keep" : "remove";
    });
    return taken;
  }

  /** Retries on conflict (optimistic concurrency). */
  async #update(
    key: string,
    updater: Updater<T>,
    from: Snapshot<T> | undefined,
  ): Promise<Snapshot<T>> {
    const path = this.#pathOf(key);
    // A snapshot that has expired since may have been extended since.
    let current = from === undefined || isOver(from) ? await this.#read(path) : from;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const change = updater(current.value, current);
      if (change === "keep") return current;
      const next = this.#toNext(change);
      let swap: Swap | undefined;
      try {
        swap = await this.#adapter.swap(path, toExpected(current.version), next.replacement);
      } finally {
        // Also after an error: the change may have been stored.
        this.#changes.emitOwn(path, swap?.swapped ? next.snapshot : undefined);
      }
      if (swap.swapped || isOwn(swap.current, next.replacement)) return next.snapshot;
      current = await this.#admit(path, swap.current);
      await pause(attempt);
    }
    throw this.#tooBusy();
  }

  async #takeAndEmit(path: string): Promise<string | undefined> {
    try {
      return await this.#adapter.take(path);
    } finally {
      this.#changes.emitOwn(path);
    }
  }

  async #read(path: string): Promise<Snapshot<T>> {
    return this.#admit(path, await this.#adapter.read(path));
  }

  /** Returns a valid document, and applies the policy to anything else. The caller must hold the key's lock. */
  async #admit(path: string, text: string | undefined): Promise<Snapshot<T>> {
    let found = text;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const snapshot = this.#toSnapshot(found);
      if (found === undefined || !isUnreadable(snapshot)) return snapshot;
      if (this.#unreadable === "refuse") throw toUnreadableError(path);
      if (this.#unreadable === "drop") {
        this.#warn("A document that cannot be read was dropped", path);
        return snapshot;
      }
      const moved = await this.#adapter.setAside(path, found);
      this.#changes.emitOwn(path, moved.swapped ? nothing : undefined);
      if (moved.swapped) {
        this.#warn(
          "A document that cannot be read was moved to <key>:unreadable for 30 days",
          path,
        );
        return { ...nothing, wasUnreadable: true };
      }
      found = moved.current;
    }
    throw this.#tooBusy();
  }

  #toNext(change: Exclude<Change<T>, "keep">): Next<T> {
    if (change === "remove") return { snapshot: nothing };
    const expiresAt = toExpiresAt(change.expiresAt);
    const json: string | undefined = JSON.stringify(change.set);
    // Check the value that JSON returns: otherwise a later read would drop a document that was accepted here.
    const value: unknown = json === undefined || isJson(change.set) ? change.set : JSON.parse(json);
    if (json === undefined || !this.#accepts(value)) {
      throw new TypeError(`Not a document of "${this.#name}"`);
    }
    if (isOver({ expiresAt })) return { snapshot: nothing };
    const { version, text } = toEnvelope(json, expiresAt);
    return { snapshot: { value, expiresAt, version }, replacement: { text, expiresAt } };
  }

  #toSnapshot(text: string | undefined): Snapshot<T> {
    if (text === undefined) return nothing;
    const envelope = parseEnvelope(text);
    if (envelope === undefined) return { value: undefined, version: unreadable + text };
    const { version, expiresAt, value } = envelope;
    if (isOver(envelope)) return { value: undefined, version };
    if (!this.#accepts(value)) return { value: undefined, version: unreadable + text };
    return { value, expiresAt, version };
  }

  #accepts(value: unknown): value is T {
    try {
      return this.#isDocument(value);
    } catch {
      return false;
    }
  }

  /** Logs the key of a document, never its content. */
  #warn(message: string, path: string): void {
    const key = path.slice(this.#name.length + 1);
    this.#log.warn(message, { collection: this.#name, key });
  }

  #tooBusy(): StorageUnavailableError {
    return new StorageUnavailableError(`A document of "${this.#name}" changes too often`);
  }

  #pathOf(key: string): string {
    const path = `${this.#name}:${key}`;
    if (!isKey(path)) throw new TypeError(`Not a key: ${JSON.stringify(path)}; see toKeySegment`);
    return path;
  }
}

// --- Internal helpers ---

/** The next state of a document, as a snapshot and as a text. Without a text, it is removed. */
interface Next<T> {
  readonly snapshot: Snapshot<T>;
  readonly replacement?: Replacement;
}

const nothing: Snapshot<never> = { value: undefined, version: "" };

/** Precedes the version of an unreadable text, which is the text itself. */
const unreadable = "!";

/** The latest `Date`, in epoch milliseconds. A document with a later end never expires. */
const lastDate = 8.64e15;

/** About four seconds, with the pauses. */
const maxAttempts = 120;

function isUnreadable({ version }: Snapshot<unknown>): boolean {
  return version.startsWith(unreadable);
}

function toUnreadableError(path: string): StorageUnavailableError {
  return new StorageUnavailableError(
    `The document "${path}" cannot be read. Restore it from a backup, or remove it from the storage.`,
  );
}

function isOver({ expiresAt = Infinity }: { readonly expiresAt?: number | undefined }): boolean {
  return expiresAt <= Date.now();
}

/** A client that reconnects can send a write twice. The second one then finds the first one. */
function isOwn(current: string | undefined, replacement: Replacement | undefined): boolean {
  return replacement !== undefined && current === replacement.text;
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

/** The pause is random: otherwise the same writer would win each time. The first conflict can be a stale `from`. */
async function pause(attempt: number): Promise<void> {
  if (attempt === 0) return;
  const longest = Math.min(2 ** attempt, 64);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
}
