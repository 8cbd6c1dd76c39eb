import type { Collection, DocumentStore, Updater, Snapshot } from "../documents/documents.ts";
import { isSessionMark, toRenewedMark, type SessionMark } from "./session-mark.ts";
import {
  isSessionRecord,
  isStoredRecord,
  toSessionId,
  type SessionRecord,
  type StoredRecord,
} from "./session-record.ts";

/** The content of a session ID's key. */
export type SessionDocument = SessionRecord | SessionMark;

/** The stored form. */
export type StoredDocument = StoredRecord | SessionMark;

/**
 * The records of one shop's sessions as documents, each under the random part of its id. What is stored
 * lacks what its key and its other fields say; there are many, and in memory each byte counts.
 */
export class SessionRecordCodec implements Collection<SessionDocument> {
  readonly #stored: Collection<StoredDocument>;

  constructor(store: DocumentStore, shopId: number) {
    this.#stored = store.collection(`session:${shopId}`, isStoredDocument);
  }

  async get(key: string): Promise<Snapshot<SessionDocument>> {
    return toWhole(key, await this.#stored.get(key));
  }

  async update(
    key: string,
    updater: Updater<SessionDocument>,
    from?: Snapshot<SessionDocument>,
  ): Promise<Snapshot<SessionDocument>> {
    const changeStored: Updater<StoredDocument> = (_, snapshot) => {
      const whole = toWhole(key, snapshot);
      const change = updater(whole.value, whole);
      return typeof change === "string" ? change : { ...change, set: toStored(change.set) };
    };
    return toWhole(key, await this.#stored.update(key, changeStored, from));
  }

  async take(key: string): Promise<SessionDocument | undefined> {
    return toDocument(key, await this.#stored.take(key));
  }
}

/** What was stored under this key, with all that there is to the record. */
export function toWhole(
  key: string,
  snapshot: Snapshot<StoredDocument>,
): Snapshot<SessionDocument> {
  return { ...snapshot, value: toDocument(key, snapshot.value) };
}

/** Whether a snapshot holds a record, rather than a mark or nothing. */
export function isOfRecord(
  snapshot: Snapshot<SessionDocument>,
): snapshot is Snapshot<SessionRecord> & { readonly value: SessionRecord } {
  return snapshot.value !== undefined && snapshot.value.mark === undefined;
}

/** Whether a stored value is a valid content of a session ID's key. */
export function isStoredDocument(value: unknown): value is StoredDocument {
  return isStoredRecord(value) || isSessionMark(value);
}

// --- Internal helpers ---

/** Whatever is stored stands, as in records that were stored whole. */
function toDocument(key: string, stored: StoredDocument | undefined): SessionDocument | undefined {
  if (stored === undefined || stored.mark !== undefined) return stored;
  if (stored.replacedBy !== undefined) return toRenewedMark(stored);
  if (isSessionRecord(stored)) return stored;
  const { user, handle } = stored;
  const { id = toSessionId(user, key), ownerKey = handle, customData = {} } = stored;
  // What is spread comes last: for fields that are new after a spread, V8 gives each object a shape of its own,
  // and all that reads them is slow.
  return { id, ownerKey, customData, ...stored };
}

function toStored(document: SessionDocument): StoredDocument {
  if (document.mark !== undefined) return document;
  const { id: _, ownerKey, customData, ...stored } = document;
  if (ownerKey !== stored.handle) Object.assign(stored, { ownerKey });
  if (Object.keys(customData).length > 0) Object.assign(stored, { customData });
  return stored;
}
