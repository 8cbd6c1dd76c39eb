import { pause, type Clock, type Timer } from "../../storage/clock.ts";
import type { StoredAnswer } from "../../storage/sessions/stored-answer.ts";
import { createShortId, type SessionRecord } from "../../storage/sessions/session-record.ts";
import { SessionEndedError } from "../../storage/sessions/session.ts";
import type { CallSession } from "../session/call-session.ts";
import { RpcError } from "../error.ts";
import { addAnswer, findAnswer, removeMark } from "./session-answers.ts";
import type { RequestKey } from "./request-key.ts";
import { beginRunningCall, findRunningCall, type RunningCall } from "./running-calls.ts";

/** The session has an answer of the key, or another call with the key is running. */
export class AnswerFoundError extends Error {
  override readonly name = "AnswerFoundError";
  override readonly message = "The session has the idempotency key already";
  readonly answer: StoredAnswer;

  constructor(answer: StoredAnswer) {
    super();
    this.answer = answer;
  }
}

/**
 * The claim of one call to run under its idempotency key. Calls of one process wait in memory. If other servers can
 * write the session, a mark in its record names the running call; after a crash, a waiting call takes it over.
 */
export class KeyClaim {
  readonly #session: CallSession;
  readonly #key: RequestKey;
  /** Names this call in the mark. */
  #holder: string | undefined;
  #release: (() => void) | undefined;
  /** When this call first saw the holder of a mark (monotonic), and for how long earlier calls had seen it. */
  #seen: { readonly holder: string | undefined; watched: number; at: number } | undefined;

  constructor(session: CallSession, key: RequestKey) {
    this.#session = session;
    this.#key = key;
  }

  /** Finds the answer of an earlier call. @throws RpcError `idempotency_key_reused` */
  find(): StoredAnswer | undefined {
    const found = this.#look();
    return found?.status === undefined ? undefined : found;
  }

  /**
   * Waits until no other call with the key runs, and claims the key.
   * @returns the answer of an earlier call
   * @throws RpcError `idempotency_key_reused`, `idempotency_pending`, `session_changed`
   */
  async acquire(): Promise<StoredAnswer | undefined> {
    const session = this.#session;
    for (let wait = minPause; session.current !== undefined; wait = Math.min(2 * wait, maxPause)) {
      const found = this.#look();
      if (found?.status !== undefined) return found;
      const local = this.#findLocal();
      const isTaken = local !== undefined || (found !== undefined && !this.#isSilent(found));
      if (!isTaken && (await this.#claim(found))) return undefined;
      if (isTaken) await this.#wait(local?.ended ?? pause(wait), found);
      await this.#refresh();
    }
    return undefined;
  }

  /** The change that stores the answer, in one step with the other changes of the call. It throws AnswerFoundError. */
  toStore(
    answer: Pick<StoredAnswer, "status" | "body" | "headers" | "list">,
  ): (record: SessionRecord) => SessionRecord {
    const { id, fingerprint } = this.#key;
    return (record) => {
      const now = this.#clock.now();
      const found = findAnswer(record, id, now);
      const isOwn = this.#holder === undefined || found?.holder === this.#holder;
      const isRunning = found?.status === undefined;
      if (found !== undefined && !(isRunning && isOwn)) throw new AnswerFoundError(found);
      return addAnswer(record, { id, fingerprint, at: now, ...answer });
    };
  }

  /** The change that removes the mark, if there is one. */
  toRemove(): ((record: SessionRecord) => SessionRecord) | undefined {
    const holder = this.#holder;
    return holder === undefined ? undefined : (record) => removeMark(record, this.#key.id, holder);
  }

  /** Lets waiting calls of this process continue. */
  release(): void {
    this.#release?.();
  }

  get #clock(): Clock {
    return this.#session.services.clock;
  }

  get #name(): string {
    const session = this.#session;
    const { services } = session;
    return `${services.shop.shopId}:${session.current?.record.handle}:${this.#key.id}`;
  }

  /** The longest time of a call, in milliseconds: a deadline expires up to a tenth of it, or a second, too late. */
  get #longest(): number {
    return this.#session.call.runtime.callTimeout * 1100 + 1000;
  }

  /** Finds the answer of the key, or the mark of a running call. @throws RpcError `idempotency_key_reused` */
  #look(): StoredAnswer | undefined {
    const found = findAnswer(this.#session.current?.record, this.#key.id, this.#clock.now());
    if (found !== undefined) this.#key.assertSame(found.fingerprint);
    return found;
  }

  #findLocal(): RunningCall | undefined {
    const local = findRunningCall(this.#session.services, this.#name);
    return local !== undefined && this.#clock.monotonic() - local.at < this.#longest
      ? local
      : undefined;
  }

  /** Whether the call that left a mark must have ended. */
  #isSilent(mark: StoredAnswer): boolean {
    return this.#watchedFor(mark) >= this.#longest;
  }

  /** For how long this call and earlier ones have seen a mark, in milliseconds. */
  #watchedFor({ holder, watched = 0 }: StoredAnswer): number {
    const now = this.#clock.monotonic();
    // Not the latest sum: it can have the time of calls that wait at the same time.
    let seen = this.#seen;
    if (seen === undefined || seen.holder !== holder) seen = { holder, watched, at: now };
    this.#seen = seen;
    return seen.watched + now - seen.at;
  }

  /** @param expected the mark to take over @returns whether this call was the first */
  async #claim(expected: StoredAnswer | undefined): Promise<boolean> {
    this.#session.call.request.deadline.assertInTime();
    const { services } = this.#session;
    this.#release = beginRunningCall(services, this.#name, this.#clock.monotonic());
    if (!services.isShared) return true;
    const holder = createShortId(services.random);
    const { id, fingerprint } = this.#key;
    try {
      await this.#write((record) => {
        const found = findAnswer(record, id, this.#clock.now());
        if (found !== undefined && (expected === undefined || found.holder !== expected.holder)) {
          throw new AnswerFoundError(found);
        }
        return addAnswer(record, { id, fingerprint, at: this.#clock.now(), holder });
      });
    } catch (error) {
      this.release();
      if (error instanceof AnswerFoundError) return false;
      throw error;
    }
    this.#holder = holder;
    return true;
  }

  /** Waits for a part of the time that the call has. @throws RpcError `idempotency_pending` */
  async #wait(next: Promise<unknown>, mark: StoredAnswer | undefined): Promise<void> {
    const { runtime, request } = this.#session.call;
    const margin = Math.min(1000, runtime.callTimeout * 200);
    const left = request.deadline.endsAt - margin - this.#clock.monotonic();
    let timer: Timer | undefined;
    const isLate = new Promise<true>((resolve) => {
      timer = this.#clock.setTimeout(() => resolve(true), Math.max(0, left));
    });
    const isOver = await Promise.race([next.then(() => false), isLate]);
    timer?.cancel();
    if (!isOver) return;
    if (mark?.holder !== undefined) await this.#noteWatched(mark);
    throw pending();
  }

  /** Adds the time of this call to the mark, so that the next call must wait for the rest only. */
  async #noteWatched(mark: StoredAnswer): Promise<void> {
    const watched = Math.round(this.#watchedFor(mark));
    await this.#write((record) => {
      const found = findAnswer(record, mark.id, this.#clock.now());
      const isAsSeen = found?.holder === mark.holder && watched > (found?.watched ?? 0);
      return isAsSeen ? addAnswer(record, { ...mark, watched }) : record;
    });
  }

  async #write(change: (record: SessionRecord) => SessionRecord): Promise<void> {
    try {
      await this.#session.write(change);
    } catch (error) {
      throw error instanceof SessionEndedError ? sessionChanged() : error;
    }
  }

  async #refresh(): Promise<void> {
    const session = this.#session;
    const { services } = session;
    if (session.id === undefined) return;
    const found = await services.sessions.lookUp(session.id);
    if (found.state !== "active") throw sessionChanged();
    session.replace(found.session);
  }
}

/** The error of a call that can't wait any longer for another call with its key. */
export function pending(): RpcError {
  return new RpcError("idempotency_pending", {
    detail: "Another call with the key is running. Send the request again",
    headers: { "retry-after": "1" },
    executed: false,
  });
}

// --- Internal helpers ---

/** Milliseconds between two looks at the session. */
const minPause = 25;
const maxPause = 250;

function sessionChanged(): RpcError {
  return new RpcError("session_changed", { executed: false });
}
