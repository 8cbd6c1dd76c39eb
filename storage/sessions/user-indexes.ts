import { LRUCache } from "lru-cache";
import type { Collection, DocumentStore, Snapshot } from "../documents/documents.ts";
import type { SessionGenerations } from "./generations.ts";
import { toKeySegment } from "../documents/key.ts";
import {
  emptyIndex,
  endOf,
  idsOf,
  isUserIndex,
  withoutPast,
  type UserIndex,
} from "./user-index.ts";

/**
 * The documents with the indexes of users. An index exists until the last session that it ever named would have
 * expired. If it is missing earlier, it was lost, and the next index notes that it may be incomplete.
 *
 * All methods throw StorageUnavailableError.
 */
export class UserIndexes {
  readonly #documents: Collection<UserIndex>;
  readonly #generations: SessionGenerations;
  /** Until when a user's index must exist, as far as this process knows, in epoch milliseconds; by user ID. */
  readonly #ends: LRUCache<string, number>;

  constructor(store: DocumentStore, generations: SessionGenerations, realm: string) {
    this.#documents = store.collection(`user:${toKeySegment(realm)}`, isUserIndex, "setAside");
    this.#generations = generations;
    // Limited by size, because the cache allocates a limit by number immediately.
    this.#ends = new LRUCache({ maxSize: 10_000, sizeCalculation: () => 1 });
  }

  /** Reads a user's index, without expired entries and ended sessions. */
  async read(userId: string | number): Promise<UserIndex> {
    const [snapshot, generations] = await Promise.all([
      this.#documents.get(toKeySegment(userId)),
      this.#generations.current(),
    ]);
    this.#note(userId, snapshot);
    return withoutPast(snapshot.value, generations);
  }

  /**
   * Changes a user's index atomically.
   * @param change can reject the change by throwing
   */
  async update(
    userId: string | number,
    change: (index: UserIndex) => UserIndex,
  ): Promise<UserIndex> {
    const generations = await this.#generations.current();
    const snapshot = await this.#documents.update(toKeySegment(userId), (current, found) => {
      const before = withoutPast(current ?? this.#begin(userId, found), generations);
      const after = change(before);
      if (after === before) return "keep";
      const last = current === undefined ? 0 : (found.expiresAt ?? 0);
      return { set: after, expiresAt: Math.max(endOf(after), last) };
    });
    this.#note(userId, snapshot);
    return snapshot.value ?? emptyIndex;
  }

  /** Notes that this process has seen a session of a user, which their index must name. */
  noteSession(userId: string | number, { expiresAt }: { readonly expiresAt: number }): void {
    this.#noteEnd(userId, expiresAt);
  }

  /** Whether a user's index names a session. If it should but doesn't, the index was lost, and this notes it there. */
  async names(userId: string | number, session: NamedSession): Promise<boolean> {
    const index = await this.read(userId);
    if (Object.hasOwn(index.sessions, session.handle)) return true;
    const isEnding = index.ending?.some((entry) => idsOf(entry).includes(session.id));
    if (!isEnding) {
      await this.update(userId, (current) => {
        const incompleteUntil = Math.max(current.incompleteUntil ?? 0, session.expiresAt);
        return { ...current, incompleteUntil };
      });
    }
    return false;
  }

  #note(
    userId: string | number,
    { value, expiresAt = 0, wasUnreadable }: Snapshot<UserIndex>,
  ): void {
    if (wasUnreadable) this.#noteEnd(userId, Date.now() + unreadableMemory);
    else if (value !== undefined) this.#noteEnd(userId, expiresAt);
  }

  #noteEnd(userId: string | number, end: number): void {
    const key = String(userId);
    if (end > (this.#ends.get(key) ?? 0)) this.#ends.set(key, end);
  }

  /** The index for a user without one: their first, or the replacement of a lost index. */
  #begin(userId: string | number, found: Snapshot<UserIndex>): UserIndex {
    this.#note(userId, found);
    const incompleteUntil = this.#ends.get(String(userId)) ?? 0;
    return incompleteUntil > Date.now() ? { ...emptyIndex, incompleteUntil } : emptyIndex;
  }
}

// --- Internal helpers ---

interface NamedSession {
  readonly handle: string;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** An unreadable index is kept aside for this time, and by default no session lives longer. */
const unreadableMemory = 30 * 86_400_000;
