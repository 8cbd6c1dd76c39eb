/**
 * A map in many small parts. V8 copies a map when it grows or shrinks: with a million entries in one part, all calls
 * would wait for 50 ms.
 */
export class ShardedMap<V> {
  readonly #shards = Array.from({ length: shardCount }, () => new Map<string, V>());

  get(key: string): V | undefined {
    return this.#of(key).get(key);
  }

  has(key: string): boolean {
    return this.#of(key).has(key);
  }

  set(key: string, value: V): void {
    this.#of(key).set(key, value);
  }

  delete(key: string): boolean {
    return this.#of(key).delete(key);
  }

  clear(): void {
    for (const shard of this.#shards) shard.clear();
  }

  get size(): number {
    return this.#shards.reduce((total, { size }) => total + size, 0);
  }

  /** Entries can change during the iteration, as with a `Map`. */
  *[Symbol.iterator](): Generator<[string, V], void> {
    for (const shard of this.#shards) yield* shard;
  }

  #of(key: string): Map<string, V> {
    // Keys end with an ID, so the last characters distribute them evenly.
    let hash = 0;
    for (let index = Math.max(0, key.length - 4); index < key.length; index++) {
      hash = hash * 31 + key.charCodeAt(index);
    }
    return this.#shards[hash % shardCount] as Map<string, V>;
  }
}

// --- Internal helpers ---

const shardCount = 64;
