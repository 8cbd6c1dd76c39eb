import type { SessionReason } from "../storage-observer.ts";
import type { DocumentStore } from "../documents/documents.ts";
import type { UserSession } from "./user-index.ts";

/** Reports ended sessions, which can belong to several shops, to the observer of their store. */
export function reportEnded(
  { observer }: DocumentStore,
  ended: readonly (UserSession | undefined)[],
  reason: SessionReason,
): void {
  for (const one of ended) if (one !== undefined) observer?.session(one.shopId, "ended", reason, 1);
}
