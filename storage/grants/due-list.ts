import { LRUCache } from "lru-cache";
import type { Collection, DocumentStore } from "../documents/documents.ts";
import type { EndingSession } from "../sessions/session-endings.ts";

/** A session whose grant is to be checked: if the session has ended, the grant ends, too. */
export interface DueEntry extends EndingSession {
  /** Seconds since the epoch. */
  readonly second: number;
  /** Whether the session was about to end when this was noted. Otherwise it expires then. */
  readonly isEnding: boolean;
}

/**
 * When to check the grants of sessions: pages of 200 entries, by hour and by shard. Each operation is on one key, and
 * shards keep parallel additions apart.
 * @throws StorageUnavailableError from all methods
 */
export class DueList {
  readonly #pages: Collection<readonly string[]>;
  /** The last page of an hour's shard, or one before it. Most shards have one page, and no such document. */
  readonly #last: Collection<number>;
  /** The page of an hour's shard that had room the last time. */
  readonly #hints = new LRUCache<string, number>({ maxSize: 1000, sizeCalculation: () => 1 });

  constructor(store: DocumentStore) {
    this.#pages = store.collection("commerce-due", isPage);
    this.#last = store.collection("commerce-due-last", isPageNumber);
  }

  /** Adds an entry, unless the page has an equal one. For sessions that end, the first one counts. */
  async add(entry: DueEntry): Promise<void> {
    const hour = hourOf(entry.second * 1000);
    // By the random end of the key, so that equal entries meet.
    const shard = `${hour}:${(entry.handle.codePointAt(entry.handle.length - 1) ?? 0) % shards}`;
    const text = toText(entry);
    const owner = `${entry.shopId}:${entry.handle}:`;
    const isKnown = (known: string) =>
      known === text || (entry.isEnding && known.endsWith("!") && known.startsWith(owner));
    const expiresAt = (hour + 1) * hourMilliseconds + memory;
    for (let page = this.#hints.get(shard) ?? 0; ;) {
      let isFull = false;
      let isNew = false;
      await this.#pages.update(`${shard}:${page}`, (texts) => {
        isNew = texts === undefined;
        isFull = texts !== undefined && texts.length >= pageSize;
        if (isFull || texts?.some(isKnown)) return "keep";
        return { set: [...(texts ?? []), text], expiresAt };
      });
      if (isFull) {
        const { value: last = 0 } = await this.#last.get(shard);
        page = Math.max(page + 1, last);
        continue;
      }
      if (isNew && page > 0) await this.#noteLast(shard, page, expiresAt);
      this.#hints.set(shard, page);
      return;
    }
  }

  /** Reads the pages of an hour since the epoch: the first pages of all shards together, because most hours have no others. */
  async *read(hour: number) {
    const keys = Array.from({ length: shards }, (_, shard) => `${hour}:${shard}`);
    const first = await Promise.all(keys.map(async (key) => this.#pages.get(`${key}:0`)));
    for (const [shard, key] of keys.entries()) {
      let texts = first[shard]?.value;
      for (let page = 0; texts !== undefined; page++) {
        if (texts.length > 0) yield { key: `${key}:${page}`, entries: texts.map(toEntry) };
        texts = (await this.#pages.get(`${key}:${page + 1}`)).value;
      }
    }
  }

  /** Removes entries of a page. An empty page stays until it expires, because further pages can follow it. */
  async remove(key: string, entries: readonly DueEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const gone = new Set(entries.map(toText));
    await this.#pages.update(key, (texts, { expiresAt }) => {
      const left = texts?.filter((text) => !gone.has(text));
      return left === undefined || left.length === texts?.length
        ? "keep"
        : { set: left, expiresAt };
    });
  }

  async #noteLast(shard: string, page: number, expiresAt: number): Promise<void> {
    await this.#last.update(shard, (last = 0) =>
      last >= page ? "keep" : { set: page, expiresAt },
    );
  }
}

/** The hour since the epoch. */
export function hourOf(milliseconds: number): number {
  return Math.floor(milliseconds / hourMilliseconds);
}

/** The first whole second since the epoch that is not before this time. */
export function secondOf(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}

// --- Internal helpers ---

const shards = 8;
const pageSize = 200;
const hourMilliseconds = 3_600_000;

/** A grant outlives its session by a day, so an older page names no grant. */
const memory = 3 * 86_400_000;

function toText({ shopId, handle, second, isEnding }: DueEntry): string {
  return `${shopId}:${handle}:${second}${isEnding ? "!" : ""}`;
}

function toEntry(text: string): DueEntry {
  const [shopId, handle = "", second = ""] = text.split(":");
  return {
    shopId: Number(shopId),
    handle,
    second: Number.parseInt(second, 10),
    isEnding: text.endsWith("!"),
  };
}

function isPage(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function isPageNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
