import {
  SessionEndedError,
  type RecordChange,
  type LoadedSession,
} from "../../storage/sessions/session.ts";
import { extendGuestLists } from "../lists/shop-lists.ts";
import type { ShopServices } from "../shop-services.ts";
import { chain } from "./record-changes.ts";

/**
 * Writes the changes of a session, and extends its lifetime, its lists, and its grant if that is due.
 * @returns `undefined` if nothing was written: there was nothing to do, or only upkeep failed, which the next call tries
 * again
 * @throws StorageUnavailableError, SessionEndedError
 */
export async function updateSession(
  services: ShopServices,
  current: LoadedSession,
  changes: readonly RecordChange[],
): Promise<{ readonly session: LoadedSession; readonly isExtended: boolean } | undefined> {
  const { sessions, grants } = services;
  const isExtended = sessions.isExtensionDue(current);
  if (changes.length === 0 && !isExtended) return undefined;
  try {
    if (isExtended) {
      await extendGuestLists(services, current);
      await grants?.extend(current);
    }
    return { session: await sessions.update(current, chain(changes)), isExtended };
  } catch (error) {
    // The data that this call read was valid when it began.
    const isUpkeep = changes.every((change) => change === sessions.noteFirstUse);
    const isTolerable = !isExtended || error instanceof SessionEndedError;
    if (isUpkeep && isTolerable) return undefined;
    throw error;
  }
}
