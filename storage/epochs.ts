import type { ChangeFeed } from "./changes.ts";
import type { Documents, DocumentStore } from "./documents.ts";

/** Which epoch the sessions of each shop are in, by shop id; 0 where there is none. */
export type Epochs = Readonly<Record<string, number>>;

/** What belongs to an epoch of a shop. */
export interface OfEpoch {
  /** Absent: the first, 0. */
  readonly epoch?: number | undefined;
}

/**
 * The epochs of the shops whose sessions are in one storage. Beginning a new one ends all sessions of the
 * ones before, in one write, however many there are.
 */
export class EpochBook {
  readonly #documents: Documents<Epochs>;
  readonly #feed: ChangeFeed;
  /** As they were read last, or are being read; a change takes it away. */
  #known: { readonly epochs: Epochs | Promise<Epochs> } | undefined;

  /** @param feed tells of changes below `session:` */
  constructor(store: DocumentStore, feed: ChangeFeed) {
    this.#documents = store.collection("session", isEpochs);
    this.#feed = feed;
    feed.listen((path) => {
      if (path === undefined || path === `session:${key}`) this.#known = undefined;
    });
  }

  /** The epochs as they are now: from memory while changes are heard of. @throws StorageUnavailableError */
  current(): Epochs | Promise<Epochs> {
    if (!this.#feed.isUp()) return this.#read();
    this.#known ??= this.#remember();
    return this.#known.epochs;
  }

  /** Ends all sessions of some shops. @throws StorageUnavailableError */
  async advance(shopIds: readonly number[]): Promise<void> {
    await this.#documents.update(key, (epochs = {}) => {
      const next = shopIds.map((shopId) => [shopId, epochOf(epochs, shopId) + 1]);
      return { set: { ...epochs, ...Object.fromEntries(next) } };
    });
  }

  #remember(): { epochs: Epochs | Promise<Epochs> } {
    const known: { epochs: Epochs | Promise<Epochs> } = {
      epochs: this.#read().then(
        (epochs) => (known.epochs = epochs),
        (error: unknown) => {
          if (this.#known === known) this.#known = undefined;
          throw error;
        },
      ),
    };
    return known;
  }

  async #read(): Promise<Epochs> {
    const { value = {} } = await this.#documents.get(key);
    return value;
  }
}

/** Whether something of a shop is of an epoch that has passed. */
export function isPast(epochs: Epochs, shopId: number, { epoch = 0 }: OfEpoch): boolean {
  return epoch !== epochOf(epochs, shopId);
}

/** The epoch that a shop is in. */
export function epochOf(epochs: Epochs, shopId: number): number {
  return Object.hasOwn(epochs, shopId) ? (epochs[shopId] as number) : 0;
}

// --- Internal helpers ---

const key = "epochs";

function isEpochs(value: unknown): value is Epochs {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((epoch) => Number.isSafeInteger(epoch))
  );
}
