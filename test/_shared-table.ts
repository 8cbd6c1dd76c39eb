import type { ChangeListener, Expected, StorageAdapter } from "../storage/index.ts";

/** A table that several processes share. */
export interface Table {
  /** The number of reads so far. */
  reads: number;
  readonly texts: Map<string, string>;
  readonly listeners: Map<ChangeListener, string>;
}

/** An empty table. */
export function createTable(): Table {
  return { reads: 0, texts: new Map(), listeners: new Map() };
}

/** The adapter of one process on a table. */
export function openTable(table: Table): StorageAdapter {
  const { texts, listeners } = table;
  return {
    capabilities: { atomic: "cluster", changes: "pushed", ttl: "stored" },
    async read(key) {
      table.reads++;
      return texts.get(key);
    },
    async swap(key, expected, next) {
      const current = texts.get(key);
      if (!isExpected(current, expected)) return { swapped: false, current };
      put(key, next?.text);
      return { swapped: true };
    },
    async take(key) {
      const current = texts.get(key);
      put(key, undefined);
      return current;
    },
    async setAside(key, text) {
      const current = texts.get(key);
      if (current !== text) return { swapped: false, current };
      put(`${key}:unreadable`, text);
      put(key, undefined);
      return { swapped: true };
    },
    ping: async () => {},
    close: async () => {},
    watch(prefix, emit) {
      listeners.set(emit, prefix);
      return { isUp: () => true, close: () => void listeners.delete(emit) };
    },
  };

  function put(key: string, text: string | undefined): void {
    if (text === undefined) texts.delete(key);
    else texts.set(key, text);
    for (const [emit, prefix] of listeners) if (key.startsWith(prefix)) emit(key);
  }
}

/** Whether a text is as expected. */
export function isExpected(current: string | undefined, { match, text }: Expected): boolean {
  if (current === undefined) return match === "absent";
  return match === "prefix" ? current.startsWith(text) : match === "exact" && current === text;
}
