import type { Documents, DocumentStore, Rule, Snapshot } from "./documents.ts";
import {
  isSessionRecord,
  isStoredRecord,
  toSessionId,
  type SessionRecord,
  type StoredRecord,
} from "./session-record.ts";

/**
 * The records of one shop's sessions as documents, each under the random part of its id. What is stored
 * lacks what its key and its other fields say; there are many, and in memory each byte counts.
 */
export class RecordDocuments implements Documents<SessionRecord> {
  readonly #stored: Documents<StoredRecord>;

  constructor(store: DocumentStore, shopId: number) {
    this.#stored = store.collection(`session:${shopId}`, isStoredRecord);
  }

  async get(key: string): Promise<Snapshot<SessionRecord>> {
    return toWhole(key, await this.#stored.get(key));
  }

  async update(
    key: string,
    rule: Rule<SessionRecord>,
    from?: Snapshot<SessionRecord>,
  ): Promise<Snapshot<SessionRecord>> {
    const changeStored: Rule<StoredRecord> = (_, snapshot) => {
      const whole = toWhole(key, snapshot);
      const change = rule(whole.value, whole);
      return typeof change === "string" ? change : { ...change, set: toStored(change.set) };
    };
    return toWhole(key, await this.#stored.update(key, changeStored, from));
  }

  async take(key: string): Promise<SessionRecord | undefined> {
    return toRecord(key, await this.#stored.take(key));
  }
}

/** What was stored under this key, with all that there is to the record. */
export function toWhole(key: string, snapshot: Snapshot<StoredRecord>): Snapshot<SessionRecord> {
  return { ...snapshot, value: toRecord(key, snapshot.value) };
}

// --- Internal helpers ---

/** Whatever is stored stands, as in records that were stored whole. */
function toRecord(key: string, stored: StoredRecord | undefined): SessionRecord | undefined {
  if (stored === undefined) return undefined;
  if (isSessionRecord(stored)) return stored;
  const { user, handle } = stored;
  const { id = toSessionId(user, key), ownerKey = handle, customData = {} } = stored;
  // What is spread comes last: for fields that are new after a spread, V8 gives each object a shape of its own,
  // and all that reads them is slow.
  return { id, ownerKey, customData, ...stored };
}

function toStored(record: SessionRecord): StoredRecord {
  const { id: _, ownerKey, customData, ...stored } = record;
  if (ownerKey !== stored.handle) Object.assign(stored, { ownerKey });
  if (Object.keys(customData).length > 0) Object.assign(stored, { customData });
  return stored;
}
