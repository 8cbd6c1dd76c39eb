import type { StorageObserver } from "../storage-observer.ts";
import type { ChangeFeed, DocumentStore } from "../documents/documents.ts";
import { RememberedDocument } from "../documents/changes.ts";
import { createShortId } from "./session-record.ts";

/**
 * The position of an end in the order of all ends of users' sessions: a logical clock, because the clocks of two
 * servers never agree (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978).
 */
export interface RevocationMark {
  /** Marks of different series can't be compared, because the document was lost between them. */
  readonly series: string;
  readonly count: number;
  /** When the end with this count began, by the clock of its server in epoch milliseconds: only for metrics. */
  readonly made?: { readonly count: number; readonly at: number } | undefined;
}

/**
 * Counts the ends of all sessions of any user in one storage. All methods throw StorageUnavailableError.
 * @param feed the changes of documents below `session`
 */
export function openRevocations(store: DocumentStore, feed: ChangeFeed) {
  const documents = store.collection(collection, isRevocationMark);
  const remembered = new RememberedDocument(feed, `${collection}:${key}`, read);
  const { clock, random, observer } = store;
  let own = 0;
  if (observer !== undefined) {
    feed.listen((path) => {
      if (path === `${collection}:${key}`)
        void measure(observer, clock.now()).catch(() => undefined);
    });
  }
  return {
    read,

    /**
     * The cached mark of the last end, if the change feed is up. It can be a promise that rejects later, so handle its
     * rejection even if you don't await it.
     */
    recall(): RevocationMark | Promise<RevocationMark> | undefined {
      return remembered.isRemembered ? remembered.current() : undefined;
    },

    /** The mark of an end that begins now, later than every mark that was read before. */
    async next(): Promise<RevocationMark> {
      const series = createShortId(random);
      const { value = none } = await documents.update(key, (last = { series, count: 0 }) => {
        const count = last.count + 1;
        own = count;
        return { set: { ...last, count, made: { count, at: clock.now() } } };
      });
      return value;
    },
  };

  /** Measures how late this process learns of a revocation on another server. Each measurement costs one read. */
  async function measure(to: StorageObserver, heardAt: number): Promise<void> {
    const { count, made } = await read();
    // In a rolling upgrade, servers of earlier versions leave `made` as it was.
    if (count > own && made?.count === count) to.revocationHeard((heardAt - made.at) / 1000);
  }

  /** The mark of the last end, always read from the storage. */
  async function read(): Promise<RevocationMark> {
    const { value = none } = await documents.get(key);
    return value;
  }
}

/**
 * Whether an end came after a mark was read.
 * @returns `undefined` if the two cannot be compared
 */
export function isAfter(
  end: RevocationMark | undefined,
  mark: RevocationMark,
): boolean | undefined {
  if (end === undefined) return false;
  return end.series === mark.series ? end.count > mark.count : undefined;
}

/** The later one of two ends; the second if they cannot be compared. */
export function laterOf(first: RevocationMark | undefined, second: RevocationMark): RevocationMark {
  return first !== undefined && isAfter(first, second) ? first : second;
}

/** Whether a stored value is a mark. */
export function isRevocationMark(value: unknown): value is RevocationMark {
  const { series, count } = (value ?? {}) as Partial<RevocationMark>;
  return typeof series === "string" && Number.isSafeInteger(count);
}

// --- Internal helpers ---

const collection = "session-revocations";
const key = "current";

const none: RevocationMark = { series: "", count: 0 };
