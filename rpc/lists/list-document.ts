import { createHash } from "node:crypto";

/** The fields that stored baskets and wishlists share. */
export interface ListDocument {
  /** The key of the user's list that this guest's list is sealed for; `""`: the session ended. */
  readonly movedTo?: string | undefined;
  /** The keys of the guests' lists that were merged in, and when each expires (epoch milliseconds). */
  readonly merged?: Readonly<Record<string, number>> | undefined;
  /** The idempotency keys of the latest changes, the oldest first. */
  readonly keys?: readonly string[] | undefined;
}

/** Whether the shared fields are valid in a stored value. */
export function isListDocument(value: unknown): value is ListDocument {
  const { movedTo, merged = {}, keys = [] } = (value ?? {}) as Partial<ListDocument>;
  return (
    (movedTo === undefined || typeof movedTo === "string") &&
    typeof merged === "object" &&
    merged !== null &&
    Object.values(merged).every(Number.isFinite) &&
    Array.isArray(keys) &&
    keys.every((key) => typeof key === "string")
  );
}

/** The key of a user's lists in a shop. It doesn't reveal the user. */
export function userOwnerKey(shopId: number, userId: string | number): string {
  return createHash("sha256").update(`${shopId}:${userId}`).digest("hex");
}
