import { isDeepStrictEqual } from "node:util";
import {
  isUserId,
  maxUserIdLength,
  type SessionCustomData,
  type SessionRecord,
  type ShopUser,
} from "../../storage/sessions/session-record.ts";
import type { RecordChange } from "../../storage/sessions/session.ts";
import { assertStorable, storedCopyOf } from "../../storage/documents/stored-json.ts";
import { RpcError } from "../error.ts";

/**
 * Sets fields of the custom data; `undefined` removes a field. The change throws RpcError `limit_reached` if the
 * custom data becomes too large, together with the changes of parallel calls.
 * @throws TypeError if JSON would change or drop a part of the patch
 */
export function patchCustomData(patch: Partial<SessionCustomData>): RecordChange {
  const name = "context.updateCustomData: the patch";
  if (isJsonLongerThan(patch, maxSize)) {
    // A circle isn't merely too large.
    assertStorable(patch, name);
    throw tooLarge(`more than ${maxSize}`);
  }
  const removed = Object.keys({ ...patch }).map((key) => [key, undefined] as const);
  const fields = { ...Object.fromEntries(removed), ...storedCopyOf(patch, name) };
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

/**
 * Copies a user as the session stores it.
 * @throws TypeError if the user has no valid ID, or if JSON would change or drop a part
 */
export function toStoredUser(user: ShopUser): ShopUser {
  assertUserId((user as Partial<ShopUser> | null | undefined)?.id);
  const stored = storedCopyOf(user, "The user of a session");
  if (isUserId((stored as Partial<ShopUser> | null)?.id)) return stored;
  throw new TypeError(
    "The user of a session cannot be stored as JSON: its id is not in its JSON, because a class has it as a getter, or toJSON leaves it out. Use a plain object with the id",
  );
}

/**
 * Whether a user with this ID can have sessions. A string that is too long belongs to no user: an identity provider can
 * send one, because its `sub` has up to 255 characters (OpenID Connect Core 1.0, section 2).
 * @throws TypeError if the value isn't a valid ID for another reason, for example a whole user
 */
export function canHaveSessions(id: unknown): boolean {
  if (typeof id === "string" && id.length > maxUserIdLength) return false;
  assertUserId(id);
  return true;
}

export function isSameUser(a: ShopUser | undefined, b: ShopUser): boolean {
  return a !== undefined && String(a.id) === String(b.id);
}

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

/**
 * Three-way merge: applies the difference between `base` and `ours` to `current`, field by field. Parallel
 * changes of different fields all stay. An array counts as one field.
 */
export function mergeChanges<T>(base: unknown, ours: T, current: unknown): T {
  if (!isPlainObject(base) || !isPlainObject(ours) || !isPlainObject(current)) return ours;
  const touched = [...new Set([...Object.keys(base), ...Object.keys(ours)])].filter(
    (key) => !isDeepStrictEqual(own(base, key), own(ours, key)),
  );
  const others = Object.entries(current).filter(([key]) => !touched.includes(key));
  const changed = touched
    .filter((key) => own(ours, key) !== undefined)
    .map((key) => [key, mergeChanges(own(base, key), own(ours, key), own(current, key))]);
  // `fromEntries` defines fields; assigning a `__proto__` would change the object's prototype.
  return Object.fromEntries([...others, ...changed]) as T;
}

/**
 * Whether the JSON of a value is certainly longer than `length` characters. It stops reading there, so a value
 * that is too large is neither copied nor written first.
 */
export function isJsonLongerThan(value: unknown, length: number): boolean {
  return charge(value, length, 0) < 0;
}

// --- Internal helpers ---

function assertUserId(id: unknown): void {
  if (isUserId(id)) return;
  throw new TypeError("A user's id is a positive integer or a string of 1 to 64 characters");
}

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

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A value that is nested deeper can be circular. */
const maxDepth = 500;

/** @returns the rest of a budget of characters; below 0, the JSON is longer */
function charge(value: unknown, budget: number, depth: number): number {
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    return budget;
  }
  if (typeof value === "string") return budget - value.length - 2;
  if (typeof value !== "object" || value === null) return budget - 1;
  if ("toJSON" in value || depth > maxDepth) return budget;
  let left = budget - 2;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left >= 0; index++) {
      left = charge(value[index], left, depth + 1) - (index === 0 ? 0 : 1);
    }
    return left;
  }
  for (const key in value) {
    if (left < 0) return left;
    const after = charge((value as Record<string, unknown>)[key], left, depth + 1);
    // JSON leaves out an undefined member, with its key.
    left = after === left ? left : after - key.length - 3;
  }
  return left;
}
