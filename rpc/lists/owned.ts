import { createHash } from "node:crypto";
import type { Collection } from "../../storage/documents/documents.ts";

/** A document that belongs to a guest's session or to a user, and goes from one to the other once. */
export interface Owned {
  /** Set where a guest's document ended: the key of the user's it went to, or `""` for none. */
  readonly movedTo?: string | undefined;
  /** Guests' documents that were merged in, each until it can come no more (epoch milliseconds). */
  readonly merged?: Readonly<Record<string, number>> | undefined;
}

/** Whose document: its key, and when it ends (epoch milliseconds) if it does. */
export interface Owner {
  readonly key: string;
  readonly expiresAt: number | undefined;
}

/** The key of a user's documents in a shop; it does not tell who the user is. */
export function userOwnerKey(shopId: number, userId: string | number): string {
  return createHash("sha256").update(`${shopId}:${userId}`).digest("hex");
}

/** Whether the owner fields of a stored value are valid. */
export function isOwned(value: unknown): value is Owned {
  const { movedTo, merged = {} } = (value ?? {}) as Partial<Owned>;
  return (
    (movedTo === undefined || typeof movedTo === "string") &&
    typeof merged === "object" &&
    merged !== null &&
    Object.values(merged).every(Number.isFinite)
  );
}

/** Reads an owner's document; one that went to a user is theirs alone. */
export async function readOwned<T extends Owned>(
  documents: Collection<T>,
  key: string,
  empty: T,
): Promise<T> {
  const { value = empty } = await documents.get(key);
  return value.movedTo === undefined ? value : empty;
}

/** A guest's document went to a user meanwhile: nothing is put in a basket that nobody will open. */
export class DocumentMovedError extends Error {
  override readonly name = "DocumentMovedError";
}

/**
 * Changes an owner's document.
 * @throws DocumentMovedError, StorageUnavailableError, and whatever `rule` throws
 */
export async function changeOwned<T extends Owned>(
  documents: Collection<T>,
  owner: Owner,
  empty: T,
  rule: (current: T) => T,
): Promise<T> {
  const { value } = await documents.update(owner.key, (current = empty, { expiresAt }) => {
    if (current.movedTo !== undefined) throw new DocumentMovedError();
    const next = rule(current);
    if (next === current) return "keep";
    return { set: next, expiresAt: owner.expiresAt && Math.max(owner.expiresAt, expiresAt ?? 0) };
  });
  return value ?? empty;
}

/** Lets a guest's document live as long as the session it belongs to. */
export async function extendOwned<T extends Owned>(
  documents: Collection<T>,
  key: string,
  expiresAt: number,
): Promise<void> {
  await documents.update(key, (current, snapshot) =>
    current === undefined || (snapshot.expiresAt ?? Infinity) >= expiresAt
      ? "keep"
      : { set: current, expiresAt },
  );
}

/** Ends a guest's document with its session: a call still in flight cannot begin it anew. */
export async function endOwned<T extends Owned>(
  documents: Collection<T>,
  key: string,
  empty: T,
): Promise<void> {
  const expiresAt = Date.now() + inFlightMemory;
  await documents.update(key, (current) =>
    current?.movedTo === undefined ? { set: { ...empty, movedTo: "" }, expiresAt } : "keep",
  );
}

/**
 * Moves what a guest's document holds into a user's, exactly once however often it is tried:
 * the guest's is sealed first, and the user's remembers the seal in the same change as the content.
 * @param join a pure function; not called where it was all done before
 */
export async function moveOwned<T extends Owned>(
  documents: Collection<T>,
  guest: { readonly key: string; readonly expiresAt: number },
  userKey: string,
  empty: T,
  join: (user: T, guest: T) => T,
): Promise<void> {
  const expiresAt = Math.max(guest.expiresAt, Date.now() + inFlightMemory);
  const { value: sealed } = await documents.update(guest.key, (current = empty) =>
    current.movedTo === undefined ? { set: { ...current, movedTo: userKey }, expiresAt } : "keep",
  );
  if (sealed?.movedTo !== userKey) return;
  await documents.update(userKey, (current = empty) => {
    const merged = current.merged ?? {};
    if (Object.hasOwn(merged, guest.key)) return "keep";
    const alive = Object.entries(merged).filter(([, until]) => until > Date.now());
    const newest = alive.toSorted(([, a], [, b]) => b - a).slice(0, maxMerged - 1);
    return {
      set: {
        ...join(current, sealed),
        merged: { ...Object.fromEntries(newest), [guest.key]: expiresAt },
      },
    };
  });
}

// --- Internal helpers ---

/** The most guest documents that a user's document remembers; no more merges are ever in flight. */
const maxMerged = 200;

/** How long the mark on an ended document outlives it, for calls in flight, in milliseconds. */
const inFlightMemory = 3_600_000;
