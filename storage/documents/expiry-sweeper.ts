import { ShardedMap } from "./sharded-map.ts";
import { pause, type Clock, type Timer } from "../clock.ts";

/**
 * Removes documents after they expire. One timer serves all, because a timer above 2^31 ms fires immediately. If a
 * document was extended, `expire` returns the new time when the old one has passed.
 * @param expire removes a document if it has expired; otherwise returns when it expires
 */
export function createExpirySweeper(
  clock: Clock,
  expire: (key: string) => Promise<number | undefined>,
) {
  /** When each document expires, in epoch seconds: small integers, which V8 stores in a map itself. */
  const ends = new ShardedMap<number>();
  /** Iterator position of the running round. */
  let round = ends[Symbol.iterator]();
  /** Created by the first document, because a worker has no timers while its modules load. */
  let timer: Timer | undefined;
  let isSweeping = false;
  let isStopped = false;
  return {
    add,

    /** Removes the entry of a document. */
    delete: (key: string) => void ends.delete(key),

    /** Stops the timer. */
    stop(): void {
      isStopped = true;
      timer?.cancel();
    },
  };

  /** Adds a document that expires at `expiresAt` (epoch milliseconds). An earlier time of its key stays. */
  function add(key: string, expiresAt: number): void {
    if (!isStopped) timer ??= clock.setInterval(() => void sweep(), interval).unref();
    const endsAt = Math.ceil(expiresAt / 1000);
    if (endsAt < (ends.get(key) ?? Infinity)) ends.set(key, endsAt);
  }

  /**
   * Works for a few milliseconds at a time, so that calls don't wait, even if a million documents expire at the same moment.
   * Continues where the last sweep stopped.
   */
  async function sweep(): Promise<void> {
    if (isSweeping) return;
    isSweeping = true;
    /** The entries that stay: removals don't count, so one sweep removes all that is due together. */
    let left = Math.max(minEntries, ends.size / sweepsPerRound);
    let startedAt = clock.monotonic();
    while (left > 0) {
      if (isStopped) break;
      const { due, visited } = takeDue();
      await Promise.all(due.map(end));
      if (visited === 0) break;
      left -= visited - due.length;
      if (clock.monotonic() - startedAt < sliceTime) continue;
      await pause(pauseTime, { ref: false });
      startedAt = clock.monotonic();
    }
    isSweeping = false;
  }

  async function end(key: string): Promise<void> {
    // If the storage fails, try again later.
    const next = await expire(key).catch(() => clock.now() + retryAfter);
    if (next !== undefined) add(key, next);
  }

  /** Takes the due entries of the next ones; `visited` is 0 at the end of a round. */
  function takeDue() {
    const now = clock.now() / 1000;
    const due: string[] = [];
    let visited = 0;
    while (visited < stepSize && due.length < parallel) {
      const { value: entry } = round.next();
      if (entry === undefined) {
        round = ends[Symbol.iterator]();
        break;
      }
      visited++;
      const [key, endsAt] = entry;
      if (endsAt > now) continue;
      ends.delete(key);
      due.push(key);
    }
    return { due, visited };
  }
}

// --- Internal helpers ---

/** Milliseconds between two sweeps. */
const interval = 1000;
/** Milliseconds of work, and of the pause after it. */
const sliceTime = 2;
const pauseTime = 8;
/** The number of sweeps for a round through all entries. */
const sweepsPerRound = 10;
/** The fewest entries of a sweep. */
const minEntries = 2000;
/** The most entries between two looks at the clock. */
const stepSize = 500;
/** The number of parallel removals. */
const parallel = 50;
/** Milliseconds until the next attempt to remove a document, after an error. */
const retryAfter = 60_000;
