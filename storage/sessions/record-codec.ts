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
 * Opens the records and marks of one shop's sessions, each under the random part of its ID.
 *
 * The stored form omits what follows from its key and its other fields. There are many sessions, and in memory each
 * byte counts.
 */
export function openSessionDocuments(
  store: DocumentStore,
  shopId: number,
): Collection<SessionDocument> {
  const stored = store.collection(`session:${shopId}`, isStoredDocument);
  return {
    get: async (key) => toWhole(key, await stored.get(key)),
    async update(key, updater, from) {
      const updateStored: Updater<StoredDocument> = (_, snapshot) => {
        const whole = toWhole(key, snapshot);
        const change = updater(whole.value, whole);
        return typeof change === "string" ? change : { ...change, set: toStored(change.set) };
      };
      return toWhole(key, await stored.update(key, updateStored, from));
    },
    take: async (key) => toDocument(key, await stored.take(key)),
  };
}

/** A stored snapshot with the whole record. */
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

/** Earlier versions stored records whole: a stored field wins over a derived one. */
function toDocument(key: string, stored: StoredDocument | undefined): SessionDocument | undefined {
  if (stored === undefined || stored.mark !== undefined) return stored;
  if (stored.replacedBy !== undefined) return toRenewedMark(stored);
  if (isSessionRecord(stored)) return stored;
  const { user, handle } = stored;
  const { id = toSessionId(user, key), ownerKey = handle, customData = {} } = stored;
  // Keep the spread last: `{ ...stored, id }` gives every object its own hidden class, and reading it is slow.
  return { id, ownerKey, customData, ...stored };
}

function toStored(document: SessionDocument): StoredDocument {
  if (document.mark !== undefined) return document;
  const { id: _, ownerKey, customData, ...stored } = document;
  if (ownerKey !== stored.handle) Object.assign(stored, { ownerKey });
  if (Object.keys(customData).length > 0) Object.assign(stored, { customData });
  return stored;
}
