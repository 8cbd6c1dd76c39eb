import { describeError, type Logger } from "../../shared/log.ts";
import type { Clock } from "../../storage/clock.ts";
import type { DocumentStore } from "../../storage/documents/documents.ts";
import { DueList, type DueEntry } from "../../storage/grants/due-list.ts";
import { hasGrant } from "../../storage/grants/grant-documents.ts";
import { waitFor } from "../../storage/leases/shared-work.ts";
import type { EndingSession, SessionEndings } from "../../storage/sessions/session-endings.ts";
import type { SessionStore } from "../../storage/sessions/session-store.ts";

/**
 * The result of a check of a grant. `done`: nothing is left to end. `error`: the next sweep tries again. `activeUntil`:
 * the session is active, so a later sweep checks the grant after this time (epoch milliseconds).
 */
export type Settled =
  | "done"
  | { readonly activeUntil: number; readonly error?: undefined }
  | { readonly error: string };

type Settle = (entry: Omit<DueEntry, "second">, closing: AbortSignal) => Promise<Settled>;

/** Ends the grants of the sessions in one storage when the sessions end. */
export class GrantEndings implements SessionEndings {
  /** When to check the grants of sessions. */
  readonly due: DueList;
  /** Starts the sweep of this storage. */
  onUse: () => void = () => {};
  readonly #store: DocumentStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The sessions of the shops whose commerce system can end grants. */
  readonly #shops = new Map<number, { readonly sessions: SessionStore; readonly settle: Settle }>();
  /** The attempts in progress. */
  readonly #running = new Map<Promise<unknown>, AbortController>();
  #isClosed = false;

  constructor(store: DocumentStore, log: Logger) {
    this.due = new DueList(store);
    this.#store = store;
    this.#clock = store.clock;
    this.#log = log;
  }

  /**
   * Adds the sessions of a shop whose commerce system can end grants. For other shops, nothing is noted.
   * @param settle ends the grant of a session, if the session has ended
   */
  add(sessions: SessionStore, settle: Settle): void {
    this.#shops.set(sessions.shopId, { sessions, settle });
  }

  get isNeeded(): boolean {
    return this.#shops.size > 0;
  }

  get shops(): readonly SessionStore[] {
    return Array.from(this.#shops.values(), ({ sessions }) => sessions);
  }

  async note(sessions: readonly EndingSession[]): Promise<void> {
    this.onUse();
    const second = Math.floor(this.#clock.now() / 1000);
    const added = sessions
      .filter(({ shopId }) => this.#shops.has(shopId))
      .map(({ shopId, handle }) => this.due.add({ shopId, handle, second, isEnding: true }));
    try {
      await Promise.all(added);
    } catch (error) {
      // A storage that is full still lets sessions end.
      const message =
        "The end of a session was not noted. If the commerce system can't be reached now, its session there ends when this one would have expired";
      this.#log.warn(message, { error: describeError(error) });
    }
  }

  /** Waits for two seconds at most; the attempt continues. */
  async finish(sessions: readonly EndingSession[]): Promise<void> {
    const own = sessions.filter(({ shopId }) => this.#shops.has(shopId));
    if (own.length === 0) return;
    const attempts = Promise.all(own.map((session) => this.#finishOne(session)));
    await waitFor(attempts, this.#clock.timeout(patience)).catch(() => undefined);
  }

  /**
   * Ends the grant of a session, if the session has ended. Never throws.
   * @param entry `isEnding`: whether the session was about to end. Otherwise, a login may have replaced a guest's session.
   */
  async settle(entry: Omit<DueEntry, "second">): Promise<Settled> {
    const shop = this.#shops.get(entry.shopId);
    if (this.#isClosed) return { error: "The server closes" };
    const closing = new AbortController();
    const attempt =
      shop === undefined ? this.#settleElsewhere(entry) : shop.settle(entry, closing.signal);
    this.#running.set(attempt, closing);
    try {
      return await attempt;
    } catch (error) {
      return { error: describeError(error) };
    } finally {
      this.#running.delete(attempt);
    }
  }

  /** Aborts the attempts in progress, and waits for them. The next start tries them again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const closing of this.#running.values()) closing.abort(new Error("The server closes"));
    await Promise.allSettled(this.#running.keys());
  }

  async #finishOne(session: EndingSession): Promise<void> {
    const { shopId, handle } = session;
    const settled = await this.settle({ shopId, handle, isEnding: true });
    if (settled === "done" || settled.error === undefined || this.#isClosed) return;
    const message = "A session in the commerce system was not ended; the next sweep tries again";
    this.#log.debug(message, { ...session, error: settled.error });
    // A session that began while all were ending was not noted before.
    await this.note([session]);
  }

  /** The config has lost the shop, or its backend. Another server may still have it. */
  async #settleElsewhere({ shopId, handle }: EndingSession): Promise<Settled> {
    const exists = await hasGrant(this.#store, shopId, handle);
    return exists ? { activeUntil: this.#clock.now() + pause } : "done";
  }
}

/** Milliseconds until the next look at a grant that this server can't end. */
export const pause = 3_600_000;

// --- Internal helpers ---

/** Milliseconds that an end of a session waits for the commerce system. */
const patience = 2000;
