import { LRUCache } from "lru-cache";
import type { Documents, DocumentStore, Snapshot } from "./documents.ts";
import type { SessionGenerations } from "./generations.ts";
import { toKeySegment } from "./key.ts";
import {
  emptyIndex,
  endOf,
  idsOf,
  isUserIndex,
  withoutPast,
  type UserIndex,
} from "./user-index.ts";

/**
 * The documents that hold the indexes of users. An index stays until the last session that it ever named would
 * have ended, so an index that is missing earlier was lost: the next one says that it may be incomplete.
 *
 * All methods throw StorageUnavailableError.
 */
export class UserIndexes {
  readonly #documents: Documents<UserIndex>;
  readonly #generations: SessionGenerations;
  /** Until when an index must be there, as far as this process has seen; by user ID, in epoch milliseconds. */
  readonly #ends: LRUCache<string, number>;

  constructor(store: DocumentStore, generations: SessionGenerations, realm: string) {
    this.#documents = store.collection(`user:${toKeySegment(realm)}`, isUserIndex, "setAside");
    this.#generations = generations;
    // By size: a bound by number is allocated at once.
    this.#ends = new LRUCache({ maxSize: 10_000, sizeCalculation: () => 1 });
  }

  /** Reads a user's index, without what is over. */
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
   * @param change may refuse by throwing
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

  /** Whether a user's index names a session. If it should but does not, it was lost, and says so from then on. */
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

  /** The index of a user who has none: their first, or one in the place of an index that was lost. */
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

/** An index that cannot be read is kept aside for as long, and no session outlives it by default. */
const unreadableMemory = 30 * 86_400_000;
