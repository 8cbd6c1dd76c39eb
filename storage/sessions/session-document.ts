import type { Clock } from "../clock.ts";
import {
  absent,
  type Collection,
  type DocumentStore,
  type Snapshot,
  type Updater,
} from "../documents/documents.ts";
import { StorageUnavailableError } from "../documents/unavailable.ts";
import {
  isObject,
  isSessionRecord,
  isStoredRecord,
  isUserId,
  toSessionId,
  type SessionRecord,
  type StoredRecord,
} from "./session-record.ts";

/** The content of a session ID's key. */
export type SessionDocument = SessionRecord | SessionMark;

/**
 * The tombstone under the key of a session ID that is no longer valid. Late calls read the reason from it.
 *
 * A mark names no basket, no data, and no tokens, and only `renewed` resolves to a session.
 */
export type SessionMark =
  /** The ID was renewed because of its age. The old ID still resolves to the session. */
  | {
      readonly mark: "renewed";
      /** The new ID. */
      readonly to: string;
      /** When the ID was renewed, in epoch milliseconds. */
      readonly at: number;
      readonly handle: string;
      readonly userId: string | number;
      /** Copied from the record that this mark replaced. */
      readonly firstUsedAt?: number | undefined;
    }
  /** A login or a change of privilege replaced the ID. It resolves to no session. */
  | {
      readonly mark: "retired";
      /** The new ID of the same session; only the server that moved the session compares it, and no call follows it. */
      readonly for?: string | undefined;
    }
  /** A logout or a revocation ended the session. */
  | { readonly mark: "ended" };

/** The stored form. */
export type StoredDocument = StoredRecord | SessionMark;

/** The grace period for calls that were on their way with an old ID, in milliseconds. */
export const graceMilliseconds = 30_000;

/**
 * Opens the records and marks of one shop's sessions, each under the random part of its ID. The stored form omits
 * fields that others imply, because each byte counts with many sessions in memory.
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

/**
 * Replaces a record by the mark `ended`; a `retired` or `ended` mark stays.
 * @returns the content before
 */
export async function endDocument(
  documents: Collection<SessionDocument>,
  key: string,
  clock: Clock,
  from?: Snapshot<SessionDocument>,
): Promise<Snapshot<SessionDocument>> {
  let last: Snapshot<SessionDocument> = absent;
  const end: Updater<SessionDocument> = (current, found) => {
    last = found;
    const isValid = current !== undefined && (current.mark ?? "renewed") === "renewed";
    return isValid
      ? { set: { mark: "ended" }, expiresAt: clock.now() + graceMilliseconds }
      : "keep";
  };
  try {
    await documents.update(key, end, from);
    return last;
  } catch (error) {
    if (!(error instanceof StorageUnavailableError)) throw error;
    // If Redis is out of memory, it rejects the mark, but not the removal of the record.
    return { ...absent, value: await documents.take(key) };
  }
}

/** A stored snapshot with the whole record. */
export function toWhole(
  key: string,
  snapshot: Snapshot<StoredDocument>,
): Snapshot<SessionDocument> {
  return { ...snapshot, value: toDocument(key, snapshot.value) };
}

/** Whether a stored value is a valid content of a session ID's key. */
export function isStoredDocument(value: unknown): value is StoredDocument {
  return isStoredRecord(value) || isSessionMark(value);
}

// --- Internal helpers ---

function isSessionMark(value: unknown): value is SessionMark {
  if (!isObject(value)) return false;
  const { mark, to, at, handle, userId, firstUsedAt, for: successor } = value;
  if (mark === "ended") return true;
  if (mark === "retired") return successor === undefined || typeof successor === "string";
  return (
    mark === "renewed" &&
    typeof to === "string" &&
    typeof at === "number" &&
    typeof handle === "string" &&
    isUserId(userId) &&
    (firstUsedAt === undefined || typeof firstUsedAt === "number")
  );
}

/** Earlier versions stored records whole: a stored field wins over a derived one. */
function toDocument(key: string, stored: StoredDocument | undefined): SessionDocument | undefined {
  if (stored === undefined || stored.mark !== undefined) return stored;
  const { user, handle, replacedBy } = stored;
  if (replacedBy !== undefined) {
    // Earlier versions stored the mark of a renewed ID as a record.
    if (user === undefined || typeof replacedBy.id !== "string") return { mark: "ended" };
    return { mark: "renewed", to: replacedBy.id, at: replacedBy.at, handle, userId: user.id };
  }
  if (isSessionRecord(stored)) return stored;
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
