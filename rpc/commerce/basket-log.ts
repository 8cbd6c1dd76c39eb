import { isObject } from "../../storage/sessions/session-record.ts";
import { isBasketLine } from "../lists/basket-line.ts";
import type { BasketTarget } from "./commerce-backend.ts";

/*
 * The log of the changes of one basket in a commerce system. It is the state of the basket's lease.
 *
 *   note ────────▶ open ────────▶ done
 *                   │   complete
 *                   └───────────▶ (none)
 *                       drop
 *
 *   open  The targets are stored, and perhaps sent. The next holder of the lease sets them again, before anything else.
 *   done  The system has reached the targets. A repeated call changes nothing.
 */

export interface BasketLog {
  /** Oldest first. Only the last one can be open. */
  readonly changes: readonly NotedChange[];
  /** The key of the user's basket that this guest's lines move to, or {@link joined}. Later changes fail. */
  readonly movedTo?: string | undefined;
}

/** A change of a basket. */
export interface NotedChange {
  /** The stored form of the call's `Idempotency-Key`, or random. */
  readonly id: string;
  /** The fingerprint of the method and the payload, if the client sent a key. */
  readonly fingerprint?: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Absent: the change is done. */
  readonly targets?: readonly BasketTarget[] | undefined;
}

export const emptyLog: BasketLog = { changes: [] };

/** Instead of the key of the user's basket: the system has joined the guest's basket. */
export const joined = "";

export function isBasketLog(value: unknown): value is BasketLog {
  if (!isObject(value)) return false;
  const { changes, movedTo } = value;
  return (
    Array.isArray(changes) &&
    changes.every(isNotedChange) &&
    (movedTo === undefined || typeof movedTo === "string")
  );
}

/** The change that a holder of the lease has left open. */
export function findOpen({ changes }: BasketLog): NotedChange | undefined {
  const last = changes.at(-1);
  return last?.targets === undefined ? undefined : last;
}

export function findChange({ changes }: BasketLog, id: string): NotedChange | undefined {
  return changes.find((change) => change.id === id);
}

/** Adds an open change, and removes old ones. */
export function note(log: BasketLog, change: NotedChange): BasketLog {
  const since = change.at - memory;
  const recent = log.changes.filter(({ at }) => at > since).slice(1 - maxChanges);
  return { ...log, changes: [...recent, change] };
}

/** Adds changes of another log that are done and have a key of a client, so that repetitions find them. */
export function addDone(log: BasketLog, changes: readonly NotedChange[]): BasketLog {
  const known = new Set(log.changes.map(({ id }) => id));
  const added = changes.filter(
    ({ id, fingerprint, targets }) =>
      fingerprint !== undefined && targets === undefined && !known.has(id),
  );
  return added.length === 0 ? log : { ...log, changes: [...added, ...log.changes] };
}

export function complete(log: BasketLog, id: string): BasketLog {
  const changes = log.changes.map((change) =>
    change.id === id ? { ...change, targets: undefined } : change,
  );
  return { ...log, changes };
}

/** Forgets a change that the system has rejected, so that a repeated call begins from the basket as it is. */
export function drop(log: BasketLog, id: string): BasketLog {
  return { ...log, changes: log.changes.filter((change) => change.id !== id) };
}

/** The log of a guest whose basket the system has joined, and who begins another one. */
export function restart({ changes }: BasketLog): BasketLog {
  return { changes: changes.filter(({ targets }) => targets === undefined) };
}

// --- Internal helpers ---

/** Milliseconds, as for the results of calls with an `Idempotency-Key`. */
const memory = 86_400_000;
const maxChanges = 50;

function isNotedChange(value: unknown): value is NotedChange {
  if (!isObject(value)) return false;
  const { id, fingerprint, at, targets } = value;
  return (
    typeof id === "string" &&
    (fingerprint === undefined || typeof fingerprint === "string") &&
    Number.isFinite(at) &&
    (targets === undefined || (Array.isArray(targets) && targets.every(isTarget)))
  );
}

function isTarget(value: unknown): boolean {
  return isObject(value) && isBasketLine({ ...value, key: "", addedAt: 0 });
}
