import type { ChangeFeed, Collection, DocumentStore } from "../documents/documents.ts";
import { RememberedDocument } from "../documents/changes.ts";
import { openRevocations } from "./revocations.ts";
import { graceMilliseconds } from "./session-document.ts";
import { createShortId, isObject, type SessionRecord } from "./session-record.ts";

/** The beginning of `<collection>:<key>` of the document whose change can end all sessions. */
export const generationsPrefix = "session-generations:";

/** The generation of each shop's sessions, by shop ID. */
export type Generations = Readonly<
  Record<
    string,
    {
      readonly id: string;
      /** The `epoch` of the older sessions that are still valid, which name no generation; absent: none is valid. */
      readonly legacy?: number | undefined;
      /** When an end of all sessions created it, in epoch milliseconds. */
      readonly since?: number | undefined;
    }
  >
>;

/**
 * The generations of all shops whose sessions are in one storage. A session is valid only if it names its shop's
 * current one. So a new generation, or a lost document, ends all earlier sessions, however many there are.
 */
export class SessionGenerations {
  readonly #store: DocumentStore;
  readonly #documents: Collection<Generations>;
  readonly #legacy: Collection<Readonly<Record<string, number>>>;
  readonly #remembered: RememberedDocument<Generations>;
  /** The ends of all sessions of any user: a login reads the mark of the last one before it checks a password. */
  readonly revocations: ReturnType<typeof openRevocations>;

  /** @param feed the changes of documents below `session` */
  constructor(store: DocumentStore, feed: ChangeFeed) {
    this.#store = store;
    this.#documents = store.collection(collection, isGenerations);
    this.#legacy = store.collection("session", isCounts);
    this.#remembered = new RememberedDocument(feed, `${collection}:${key}`, () => this.#read());
    this.revocations = openRevocations(store, feed);
  }

  /** The current generations: from memory while the change feed is up. @throws StorageUnavailableError */
  current(): Generations | Promise<Generations> {
    return this.#remembered.current();
  }

  /**
   * Creates a shop's first generation, unless it has one. If several servers start together, all use the same one.
   * @throws StorageUnavailableError
   */
  async ensure(shopId: number): Promise<Generations> {
    const known = await this.current();
    if (Object.hasOwn(known, shopId)) return known;
    // The older sessions with this `epoch` are valid; none is valid if the document is unreadable.
    const { value: counts, version } = await this.#legacy.get(legacyKey);
    const isUnreadable = counts === undefined && version !== "";
    const legacy = isUnreadable ? undefined : countOf(counts ?? {}, shopId);
    const id = createShortId(this.#store.random);
    await this.#documents.update(key, (generations = {}) => {
      if (Object.hasOwn(generations, shopId)) return "keep";
      return { set: { ...generations, [shopId]: { id, legacy } } };
    });
    // Another server may have created it, and the notification may still be on its way.
    this.#remembered.forget();
    // Not every storage is atomic across processes, so read which generation was stored.
    return this.#read();
  }

  /** Ends all sessions of some shops. @throws StorageUnavailableError */
  async advance(shopIds: readonly number[]): Promise<void> {
    const known = await this.#read();
    const withOlder = shopIds.filter((shopId) => {
      const current = generationOf(known, shopId);
      return current === undefined || current.legacy !== undefined;
    });
    if (withOlder.length > 0) {
      // Earlier versions counted this way: if the generations are lost later, no older session becomes valid again.
      await this.#legacy.update(legacyKey, (counts = {}) => {
        const next = withOlder.map((shopId) => [shopId, countOf(counts, shopId) + 1]);
        return { set: { ...counts, ...Object.fromEntries(next) } };
      });
    }
    const { clock, random } = this.#store;
    const since = clock.now();
    const next = shopIds.map((shopId) => [shopId, { id: createShortId(random), since }]);
    await this.#documents.update(key, (generations = {}) => {
      return { set: { ...generations, ...Object.fromEntries(next) } };
    });
  }

  async #read(): Promise<Generations> {
    const { value = {} } = await this.#documents.get(key);
    return value;
  }
}

/** Whether a session or an index entry is of an earlier generation of its shop. */
export function isOutdated(
  generations: Generations,
  shopId: number,
  { generation, epoch = 0 }: Pick<SessionRecord, "generation" | "epoch">,
): boolean {
  const current = generationOf(generations, shopId);
  if (current === undefined) return true;
  return generation === undefined ? epoch !== current.legacy : generation !== current.id;
}

/** Whether all sessions of a shop ended within the grace period before `now`, if the clocks of the servers agree. */
export function isJustAdvanced(generations: Generations, shopId: number, now: number): boolean {
  const { since = 0 } = generationOf(generations, shopId) ?? {};
  return Math.abs(now - since) <= graceMilliseconds;
}

/** The generation of a shop, if it has one. */
export function generationOf(
  generations: Generations,
  shopId: number,
): Generations[string] | undefined {
  return Object.hasOwn(generations, shopId) ? generations[shopId] : undefined;
}

// --- Internal helpers ---

const collection = generationsPrefix.slice(0, -1);
const key = "current";

/** The document of earlier versions, which counted: the number of each shop; absent: 0. */
const legacyKey = "epochs";

function countOf(counts: Readonly<Record<string, number>>, shopId: number): number {
  return Object.hasOwn(counts, shopId) ? (counts[shopId] as number) : 0;
}

function isGenerations(value: unknown): value is Generations {
  return isObject(value) && Object.values(value).every(isGeneration);
}

function isGeneration(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { id, legacy, since } = value;
  return typeof id === "string" && [legacy, since].every(isOptionalCount);
}

function isOptionalCount(value: unknown): boolean {
  return value === undefined || Number.isSafeInteger(value);
}

function isCounts(value: unknown): value is Readonly<Record<string, number>> {
  return isObject(value) && Object.values(value).every(Number.isSafeInteger);
}
