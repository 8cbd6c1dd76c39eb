import type {
  SessionCustomData,
  SessionRecord,
  ShopUser,
} from "../../storage/sessions/session-record.ts";
import type { RecordChange } from "../../storage/sessions/session-records.ts";
import { copyOf } from "../../shared/copy.ts";
import { RpcError } from "../error.ts";
import { isJsonLongerThan } from "./json-length.ts";
import { mergeChanges } from "./merge-changes.ts";

/**
 * Sets fields of the custom data; `undefined` removes a field. The change throws RpcError `limit_reached` if the
 * custom data becomes too large, together with the changes of parallel calls.
 */
export function patchCustomData(patch: Partial<SessionCustomData>): RecordChange {
  if (isJsonLongerThan(patch, maxSize)) throw tooLarge(`more than ${maxSize}`);
  const fields = copyOf(patch);
  // The change runs when it is noted and again at the write, usually with the same record.
  let last: { readonly record: SessionRecord; readonly patched: SessionRecord } | undefined;
  return (record) => {
    if (last?.record === record) return last.patched;
    const entries = Object.entries({ ...record.customData, ...fields });
    const customData = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    assertSize(JSON.stringify(customData).length);
    last = { record, patched: { ...record, customData } };
    return last.patched;
  };
}

/** Applies the call's changes to the user, and keeps the changes of parallel calls. */
export function changeUser(known: ShopUser | undefined, next: ShopUser): RecordChange {
  return (record) => ({ ...record, user: mergeChanges(known, next, record.user) });
}

/** Begins the grace period of the old ID, because the client has sent the new one. */
export const noteFirstUse: RecordChange = (record) =>
  record.firstUsedAt === 0 ? { ...record, firstUsedAt: Date.now() } : record;

/** Removes the note that merges are pending. */
export const clearMergePending: RecordChange = (record) => ({ ...record, mergePending: undefined });

/** The record of a guest without a session, for a preview of changes. */
export const blankRecord: SessionRecord = {
  id: "",
  createdAt: 0,
  lastSeenAt: 0,
  handle: "",
  ownerKey: "",
  customData: {},
};

/** Combines changes into one that applies them in order. */
export function chain(changes: readonly RecordChange[]): RecordChange {
  return (record) => changes.reduce((next, change) => change(next), record);
}

// --- Internal helpers ---

/** The limit for the custom data of a session, in characters of JSON. */
const maxSize = 16_384;

function assertSize(size: number): void {
  if (size > maxSize) throw tooLarge(String(size));
}

function tooLarge(size: string): RpcError {
  return new RpcError("limit_reached", {
    detail: `The session's custom data would have ${size} characters of JSON; the limit is ${maxSize}`,
  });
}
