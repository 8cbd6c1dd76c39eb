/**
 * Removes documents after they expire.
 *
 * One timer serves all documents, because a timer above 2^31 ms fires immediately. A key has one entry. If its
 * document was extended, `expire` returns the new time when the old one has passed.
 * @param expire removes a document if it has expired; otherwise returns when it expires
 */
export function createExpirySweeper(expire: (key: string) => Promise<number | undefined>) {
  /** When each document expires, in epoch seconds: small integers, which V8 stores in the map itself. */
  const ends = new Map<string, number>();
  /** Iterator position of the running round. */
  let round = ends.entries();
  /** Created by the first document, because a worker has no timers while its modules load. */
  let timer: NodeJS.Timeout | undefined;
  let isSweeping = false;
  let isStopped = false;
  return {
    add,

    /** Removes the entry of a document. */
    delete: (key: string) => void ends.delete(key),

    /** Stops the timer. */
    stop(): void {
      isStopped = true;
      clearInterval(timer);
    },
  };

  /** Adds a document that expires at `expiresAt` (epoch milliseconds). An earlier time of its key stays. */
  function add(key: string, expiresAt: number): void {
    if (!isStopped) timer ??= setInterval(() => void sweep(), interval).unref();
    const endsAt = Math.ceil(expiresAt / 1000);
    if (endsAt < (ends.get(key) ?? Infinity)) ends.set(key, endsAt);
  }

  async function sweep(): Promise<void> {
    if (isSweeping) return;
    isSweeping = true;
    const keys = takeDue();
    for (let start = 0; start < keys.length; start += parallel) {
      if (isStopped) break;
      await Promise.all(keys.slice(start, start + parallel).map(end));
    }
    isSweeping = false;
  }

  async function end(key: string): Promise<void> {
    // If the storage fails, try again later.
    const next = await expire(key).catch(() => Date.now() + retryAfter);
    if (next !== undefined) add(key, next);
  }

  /** Continues where the last sweep stopped. New entries come last. */
  function takeDue(): string[] {
    const now = Date.now() / 1000;
    const due: string[] = [];
    let left = Math.max(batchSize, ends.size / sweepsPerRound);
    for (const [key, endsAt] of round) {
      if (endsAt <= now) {
        ends.delete(key);
        due.push(key);
      }
      if (--left <= 0 || due.length === batchSize) return due;
    }
    round = ends.entries();
    return due;
  }
}

// --- Internal helpers ---

/** Milliseconds between two sweeps. */
const interval = 1000;
/** The number of sweeps for a round through all entries, so that no sweep takes long. */
const sweepsPerRound = 10;
/** The most documents of one sweep, so that calls don't wait for many removals. */
const batchSize = 2000;
/** The number of parallel removals. */
const parallel = 50;
/** Milliseconds until the next attempt to remove a document, after an error. */
const retryAfter = 60_000;
