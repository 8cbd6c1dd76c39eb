/** A list that belongs to a guest's session or to a user. See the diagram in `transfer.ts`. */
export interface TransferableDocument {
  /** The key of the user's list that this guest's list is sealed for; `""`: the session ended. */
  readonly movedTo?: string | undefined;
  /** The keys of the guests' lists that were merged in, and when each expires (epoch milliseconds). */
  readonly merged?: Readonly<Record<string, number>> | undefined;
}

/** Whether these fields of a stored value are valid. */
export function isTransferable(value: unknown): value is TransferableDocument {
  const { movedTo, merged = {} } = (value ?? {}) as Partial<TransferableDocument>;
  return (
    (movedTo === undefined || typeof movedTo === "string") &&
    typeof merged === "object" &&
    merged !== null &&
    Object.values(merged).every(Number.isFinite)
  );
}
