import { setImmediate } from "node:timers/promises";
import { describeError, type Logger } from "../../shared/log.ts";
import type { Clock } from "../../storage/clock.ts";
import type { Collection, Snapshot, Updater } from "../../storage/documents/documents.ts";
import type { SessionStore } from "../../storage/sessions/session-store.ts";
import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import { joinUsedKeys } from "../idempotency/list-keys.ts";
import type { MergedLine } from "./basket-line.ts";
import type { ListDocument } from "./list-document.ts";
import type { LeftOutWish } from "./wishlist.ts";

/*
 * The transfer of a guest's list to a user. It happens once, however often a call repeats it.
 *
 *                       transferList                     transferList
 *   guest's list: open ──────────────▶ sealed(user key) ──────────────▶ merged into the user's list
 *                  │
 *                  │    closeList
 *                  └──────────────────▶ sealed("")
 *
 *   open    Calls read and change the list.
 *   sealed  `movedTo` is set in the guest's list. Reads find an empty list, and changes fail.
 *   merged  The user's list names the guest's list in `merged`, in the same write as the items.
 *
 * A login notes its merges in the user's index first. `completeMerges` removes each note when the merge is done.
 */

/** The lists of one kind in one shop. */
export interface ShopLists<T extends ListDocument> {
  readonly clock: Clock;
  readonly documents: Collection<T>;
  readonly empty: T;
  /** Merges a guest's items into the user's list; a pure function. */
  merge(user: T, guest: T): { readonly list: T; readonly lines: MergeReport["lines"] };
}

/** The outcome of merging a guest's basket and wishlist at login. */
export interface MergeReport {
  /**
   * `none`: there was nothing to merge. `merged`: all merges are done.
   * `pending`: the storage failed, and the next call tries again.
   */
  readonly status: "none" | "merged" | "pending";
  /** The outcome for each line of this shop's basket, and for each item of its wishlist that was left out. */
  readonly lines: readonly (MergedLine | LeftOutWish)[];
}

/** Reads a list; a sealed one is empty. @throws StorageUnavailableError */
export async function readList<T extends ListDocument>(
  { documents, empty }: ShopLists<T>,
  key: string,
): Promise<T> {
  const { value = empty } = await documents.get(key);
  return value.movedTo === undefined ? value : empty;
}

/**
 * Changes an open list.
 * @param from an earlier snapshot of the list; saves the first read
 * @param owner `expiresAt`: when a guest's list expires (epoch milliseconds); a user's list doesn't
 * @returns the changed list; `undefined` if the list is sealed, so that nothing lands in a list that nobody opens
 * @throws StorageUnavailableError, and the errors of `rule`
 */
export async function changeList<T extends ListDocument>(
  { documents, empty }: ShopLists<T>,
  owner: { readonly key: string; readonly expiresAt: number | undefined },
  rule: (current: T) => T,
  from?: Snapshot<T>,
): Promise<T | undefined> {
  const change: Updater<T> = (current = empty, { expiresAt }) => {
    const next = current.movedTo === undefined ? rule(current) : current;
    if (next === current) return "keep";
    return { set: next, expiresAt: owner.expiresAt && Math.max(owner.expiresAt, expiresAt ?? 0) };
  };
  const { value = empty } = await documents.update(owner.key, change, from);
  return value.movedTo === undefined ? value : undefined;
}

/** Extends a guest's list, so that it lives as long as the session. @throws StorageUnavailableError */
export async function extendList<T extends ListDocument>(
  { documents }: ShopLists<T>,
  key: string,
  expiresAt: number,
): Promise<void> {
  await documents.update(key, (current, snapshot) =>
    current === undefined || (snapshot.expiresAt ?? Infinity) >= expiresAt
      ? "keep"
      : { set: current, expiresAt },
  );
}

/** Seals a guest's list for nobody, so that a parallel call can't begin it again. @throws StorageUnavailableError */
export async function closeList<T extends ListDocument>(
  { documents, empty, clock }: ShopLists<T>,
  key: string,
): Promise<void> {
  const expiresAt = clock.now() + sealMilliseconds;
  await documents.update(key, (current) =>
    current?.movedTo === undefined ? { set: { ...empty, movedTo: "" }, expiresAt } : "keep",
  );
}

/**
 * Seals a guest's list for a user, and merges it into the user's list.
 * @returns the outcome for each line; nothing if the list was merged before, or is sealed for another key
 * @throws StorageUnavailableError
 */
export async function transferList<T extends ListDocument>(
  { documents, empty, merge, clock }: ShopLists<T>,
  guest: { readonly key: string; readonly expiresAt: number },
  userKey: string,
): Promise<MergeReport["lines"]> {
  const expiresAt = Math.max(guest.expiresAt, clock.now() + sealMilliseconds);
  const { value: sealed } = await documents.update(guest.key, (current = empty) =>
    current.movedTo === undefined ? { set: { ...current, movedTo: userKey }, expiresAt } : "keep",
  );
  if (sealed?.movedTo !== userKey) return [];
  let lines: MergeReport["lines"] = [];
  await documents.update(userKey, (current = empty) => {
    const merged = current.merged ?? {};
    if (Object.hasOwn(merged, guest.key)) return "keep";
    const unexpired = Object.entries(merged).filter(([, until]) => until > clock.now());
    const newest = unexpired.toSorted(([, a], [, b]) => b - a).slice(0, maxMerged - 1);
    const result = merge(current, sealed);
    lines = result.lines;
    const remembered = { ...Object.fromEntries(newest), [guest.key]: expiresAt };
    const next = { ...result.list, merged: remembered };
    const keys = joinUsedKeys(current.keys, sealed.keys, clock.now());
    return { set: keys === undefined ? next : { ...next, keys } };
  });
  return lines;
}

/**
 * Merges guests' lists into the user's, and removes the notes of finished merges from the user's index. It never
 * throws, so a failed merge doesn't fail the login, and waits for the next call. Other calls run between two rounds.
 * @param transfer transfers one list, and returns the outcome for each line
 */
export async function completeMerges(
  sessions: SessionStore,
  userId: string | number,
  pending: readonly PendingMerge[],
  transfer: (merge: PendingMerge) => Promise<MergeReport["lines"]>,
  log: Logger,
): Promise<MergeReport> {
  if (pending.length === 0) return { status: "none", lines: [] };
  const merged: PendingMerge[] = [];
  const lines: MergeReport["lines"][] = [];
  for (let at = 0; at < pending.length && merged.length === at; at += mergesPerRound) {
    if (at > 0) await setImmediate();
    const round = pending.slice(at, at + mergesPerRound);
    const results = await Promise.all(round.map((merge) => tryMerge(merge, transfer, log)));
    for (const [index, merge] of round.entries()) {
      const found = results[index];
      if (found === undefined) continue;
      merged.push(merge);
      if (merge.shopId === sessions.shopId) lines.push(found);
    }
  }
  if (merged.length > 0) {
    await forgetMerges(sessions, userId, merged).catch((error: unknown) =>
      log.warn("A finished merge is still noted; the next call checks it again", {
        error: describeError(error),
      }),
    );
  }
  return { status: merged.length === pending.length ? "merged" : "pending", lines: lines.flat() };
}

// --- Internal helpers ---

/** The most guests' lists that a user's list remembers. Fewer merges than that are ever in flight. */
const maxMerged = 200;

/** How long a sealed list stays stored for calls in flight. */
const sealMilliseconds = 3_600_000;

/** A basket and a wishlist, in one round trip. More merges would block the event loop too long. */
const mergesPerRound = 2;

/** @returns the outcome for each line; `undefined` if the storage failed */
async function tryMerge(
  merge: PendingMerge,
  transfer: (merge: PendingMerge) => Promise<MergeReport["lines"]>,
  log: Logger,
): Promise<MergeReport["lines"] | undefined> {
  try {
    const lines = await transfer(merge);
    const count = lines.filter(({ outcome }) => outcome === "left_out").length;
    // If a later call completes a merge, no client gets its report.
    const { shopId, belonging: list } = merge;
    if (count > 0) log.warn("A merge left out lines", { shopId, list, count });
    return lines;
  } catch (error) {
    log.warn("A merge at login failed; the next call tries again", { error: describeError(error) });
    return undefined;
  }
}

async function forgetMerges(
  { users }: SessionStore,
  userId: string | number,
  merged: readonly PendingMerge[],
): Promise<void> {
  await users.update(userId, (index) => ({
    ...index,
    pendingMerges: index.pendingMerges.filter(({ belonging, key }) =>
      merged.every((done) => done.belonging !== belonging || done.key !== key),
    ),
  }));
}
