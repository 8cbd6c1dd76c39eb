import { describeError, type Logger } from "../../shared/log.ts";
import type { Clock, Timer } from "../../storage/clock.ts";
import type { DocumentStore } from "../../storage/documents/documents.ts";
import { hourOf, secondOf, type DueEntry } from "../../storage/grants/due-list.ts";
import type { Lease } from "../../storage/leases/lease.ts";
import { Leases } from "../../storage/leases/leases.ts";
import type { Random } from "../../storage/random.ts";
import { generationOf, type SessionGenerations } from "../../storage/sessions/generations.ts";
import { isObject } from "../../storage/sessions/session-record.ts";
import type { GrantEndings, Settled } from "./grant-endings.ts";

/**
 * Ends the grants of sessions that have expired, or whose end failed, in one storage: one process at a time, every ten
 * seconds.
 */
export class GrantSweeper {
  readonly #leases: Leases<SweepState>;
  readonly #endings: GrantEndings;
  readonly #generations: SessionGenerations;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  readonly #clock: Clock;
  readonly #random: Random;
  #timer: Timer | undefined;
  /** The sweep in progress. */
  #sweeping: Promise<void> | undefined;
  #isHurried = false;
  /** The number of sweeps by all processes, when this process last looked. */
  #seen: number | undefined;

  constructor(
    store: DocumentStore,
    endings: GrantEndings,
    generations: SessionGenerations,
    log: Logger,
  ) {
    this.#leases = new Leases(store, "commerce-sweep", isSweepState);
    this.#clock = store.clock;
    this.#random = store.random;
    this.#endings = endings;
    this.#generations = generations;
    this.#log = log;
    endings.onUse = () => this.start();
  }

  /** Starts the timer, which doesn't keep the process running. Does nothing if no commerce system can end grants. */
  start(): void {
    if (this.#timer === undefined && this.#endings.isNeeded) this.#wait(firstPause);
  }

  /** Sweeps soon, because all sessions of a shop have just ended, or because a commerce system responds again. */
  hurry(): void {
    if (!this.#endings.isNeeded) return;
    this.#seen = undefined;
    // The sweep in progress can have passed entries that are due by now.
    if (this.#sweeping === undefined) this.#wait(0);
    else this.#isHurried = true;
  }

  /** Stops the timer and the sweep, and waits for its end. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#closing.abort(new Error("The server closes"));
    await this.#endings.close();
    await this.#sweeping;
  }

  #wait(milliseconds: number): void {
    if (this.#closing.signal.aborted) return;
    // Random, so that the processes don't all sweep at the same time.
    const pause = milliseconds * this.#random.between(0.8, 1.2);
    this.#timer?.cancel();
    const sweep = () => {
      this.#sweeping = this.#trySweep().finally(() => {
        this.#sweeping = undefined;
        this.#wait(this.#isHurried ? 0 : interval);
        this.#isHurried = false;
      });
    };
    this.#timer = this.#clock.setTimeout(sweep, pause).unref();
  }

  async #trySweep(): Promise<void> {
    try {
      const { sweeps = 0 } = (await this.#leases.read(key)) ?? {};
      const isDue = this.#seen === undefined || this.#seen === sweeps;
      this.#seen = sweeps;
      // Another process has swept since the last look.
      if (!isDue) return;
      const options = { seconds: leaseSeconds, signal: this.#closing.signal };
      await this.#leases.withLease(key, options, async (lease) => {
        const state = lease.state ?? noState;
        if (state.sweeps === sweeps) await this.#sweep(lease, state);
        this.#seen = lease.state?.sweeps;
      });
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#log.warn("The sweep of ended sessions failed; the next one tries again", {
        error: describeError(error),
      });
    }
  }

  async #sweep(lease: Lease<SweepState>, state: SweepState): Promise<void> {
    const now = this.#clock.now();
    const hour = hourOf(now);
    // Late entries can be in earlier hours: after an outage, or because another server's clock is behind.
    const first = hour - (state.fullHour === hour ? recentHours : maxHours);
    const failures: Failures = new Map();
    for (let at = first; at <= hour; at++) {
      const isDue = ({ second }: DueEntry) => second * 1000 <= now;
      await this.#sweepHour(lease, at, isDue, failures);
    }
    const generations = await this.#sweepEndedShops(lease, state.generations, hour, failures);
    for (const [shopId, { handles, error }] of failures) this.#warn(shopId, handles.size, error);
    await lease.save(
      { sweeps: state.sweeps + 1, fullHour: hour, generations },
      now + maxHours * 3_600_000,
    );
  }

  /** One line for all failures of a sweep, because an outage has many. */
  #warn(shopId: number, count: number, error: string): void {
    if (this.#closing.signal.aborted) return;
    const message =
      "The commerce system has not ended the sessions that have ended here; the next sweep tries again";
    this.#log.warn(message, { shopId, count, error });
  }

  /** Ends the grants of all sessions of the shops that have got a new generation. @returns the generations by now */
  async #sweepEndedShops(
    lease: Lease<SweepState>,
    known: SweepState["generations"],
    hour: number,
    failures: Failures,
  ): Promise<SweepState["generations"]> {
    const all = await this.#generations.current();
    const { shops } = this.#endings;
    const current = shops.map(({ shopId }) => [shopId, generationOf(all, shopId)?.id]);
    const next = { ...known, ...Object.fromEntries(current) } as SweepState["generations"];
    const ended = new Set(shops.map(({ shopId }) => shopId).filter((id) => known[id] !== next[id]));
    if (ended.size === 0) return next;
    const longest = Math.max(...shops.map(({ longestIdleTimeout }) => longestIdleTimeout));
    for (let at = hour; at <= hour + Math.ceil(longest / 3600) + 1; at++) {
      if (at % 24 === 0) await lease.prove();
      await this.#sweepHour(lease, at, ({ shopId }) => ended.has(shopId), failures);
    }
    return next;
  }

  async #sweepHour(
    lease: Lease<SweepState>,
    hour: number,
    isChosen: (entry: DueEntry) => boolean,
    failures: Failures,
  ): Promise<void> {
    for await (const { key: page, entries } of this.#endings.due.read(hour)) {
      const chosen = entries.filter(isChosen);
      for (let start = 0; start < chosen.length; start += parallel) {
        await lease.prove();
        this.#closing.signal.throwIfAborted();
        const batch = chosen.slice(start, start + parallel);
        const settled = await Promise.all(batch.map((entry) => this.#settle(entry, failures)));
        await this.#endings.due.remove(
          page,
          batch.filter((_, at) => settled[at]),
        );
      }
    }
  }

  /** @returns whether the entry can be removed */
  async #settle(entry: DueEntry, failures: Failures): Promise<boolean> {
    const { shopId } = entry;
    const failed = failures.get(shopId);
    const settled: Settled =
      failed !== undefined && failed.handles.size >= maxFailures
        ? { error: failed.error }
        : await this.#endings.settle(entry);
    if (settled === "done") return true;
    if (settled.error !== undefined) addFailure(failures, entry, settled.error);
    const now = this.#clock.now();
    const isOwed = entry.isEnding && now - entry.second * 1000 < endingTime;
    const isDue = entry.second * 1000 <= now;
    // The session was about to end, or the commerce system can't be reached: the entry stays.
    if (isDue && (settled.error !== undefined || isOwed)) return false;
    const next =
      settled.error !== undefined
        ? { ...toLaterEntry(entry, now), isEnding: entry.isEnding }
        : toLaterEntry(entry, settled.activeUntil);
    if (next.second === entry.second && next.isEnding === entry.isEnding) return false;
    await this.#endings.due.add(next);
    return true;
  }
}

// --- Internal helpers ---

/** The state that all processes share. */
interface SweepState {
  readonly sweeps: number;
  /** The hour of the last sweep through all earlier hours. */
  readonly fullHour: number;
  /** The generation of each shop's sessions at the last sweep. */
  readonly generations: Readonly<Record<number, string | undefined>>;
}

/** The entry for another check of a session. */
function toLaterEntry({ shopId, handle }: DueEntry, milliseconds: number): DueEntry {
  return { shopId, handle, second: secondOf(milliseconds), isEnding: false };
}

/** The sessions whose grants a sweep could not end, and the first error, by shop. */
type Failures = Map<number, { readonly handles: Set<string>; readonly error: string }>;

function addFailure(failures: Failures, { shopId, handle }: DueEntry, error: string): void {
  const { handles } = failures.get(shopId) ?? { handles: new Set<string>() };
  failures.set(shopId, {
    error: failures.get(shopId)?.error ?? error,
    handles: handles.add(handle),
  });
}

const noState: SweepState = { sweeps: 0, fullHour: 0, generations: {} };
const key = "current";
/** Longer than a batch takes: 12 seconds to wait for a lease, and 8 for the commerce system. */
const leaseSeconds = 30;

/** Milliseconds between two sweeps. */
const interval = 10_000;
/** Milliseconds from the start to the first sweep. */
const firstPause = 1000;
/** The hours before this one that each sweep covers, and that the first sweep of an hour covers. */
const recentHours = 1;
const maxHours = 48;
/** The number of grants that are checked at the same time. */
const parallel = 20;
/** After this many failures in a sweep, the rest of the shop waits for the next one. */
const maxFailures = 20;
/** Milliseconds in which a session that was about to end has ended. */
const endingTime = 300_000;

function isSweepState(value: unknown): value is SweepState {
  if (!isObject(value)) return false;
  const { sweeps, fullHour, generations } = value;
  return Number.isSafeInteger(sweeps) && Number.isSafeInteger(fullHour) && isObject(generations);
}
