import type { Driver } from "unstorage";
import { ShardedMap } from "./documents/sharded-map.ts";

/** Behaves like unstorage's memory driver, and doesn't hold the event loop with a million documents. */
export function createMemoryDriver(): Driver {
  const data = new ShardedMap<unknown>();
  const read = (key: string) => data.get(key) ?? null;
  const write = (key: string, value: unknown) => data.set(key, value);
  return {
    name: "memory",
    getInstance: () => data,
    hasItem: (key) => data.has(key),
    getItem: read as Driver["getItem"],
    getItemRaw: read,
    setItem: write,
    setItemRaw: write,
    removeItem: (key) => void data.delete(key),
    getKeys: () => Array.from(data, ([key]) => key),
    clear: () => data.clear(),
    dispose: () => data.clear(),
  };
}
