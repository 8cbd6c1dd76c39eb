import type { Logger } from "../../shared/log.ts";
import { waitForStep } from "../config/slow-step.ts";
import { WorkerMetrics } from "./worker-metrics.ts";
import { WorkerProcess, type WorkerExit } from "./worker-process.ts";

/** Several worker processes that share one port. Workers that end are replaced. */
export class Workers {
  readonly #log: Logger;
  readonly #slots: readonly Slot[];
  /** All processes that have not ended, also those that were replaced and still drain. */
  readonly #processes = new Set<WorkerProcess>();
  #isEnding = false;
  /** Runs the start and each restart one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #isWaiting = false;
  readonly #metrics = new WorkerMetrics();

  readonly #describe: (description: string) => void;

  /**
   * @param count the number of workers
   * @param describe gets the description of the server after the start, and after each restart
   */
  constructor(count: number, log: Logger, describe: (description: string) => void) {
    this.#log = log;
    this.#describe = describe;
    this.#slots = Array.from({ length: count }, () => ({
      current: undefined,
      starting: undefined,
      timer: undefined,
      failures: 0,
      readyAt: 0,
    }));
  }

  /**
   * Starts the first worker, and then the others.
   * @returns how the first worker ended, if it ended before it was ready
   */
  start(): Promise<WorkerExit | undefined> {
    const [first, ...others] = this.#slots as readonly [Slot, ...Slot[]];
    const started = this.#startFirst(first);
    this.#last = started.then(() => Promise.all(others.map((slot) => this.#restart(slot))));
    return started;
  }

  /**
   * Replaces all workers, one after the other: each new one reads the config and accepts connections before an old one
   * stops. If a new worker isn't ready in time, the others continue. A request in between starts one more restart.
   */
  roll(): void {
    if (this.#isWaiting || this.#isEnding) return;
    this.#isWaiting = true;
    this.#last = this.#last.then(() => {
      this.#isWaiting = false;
      return this.#rollAll();
    });
  }

  /** Drains and ends all workers. @returns the highest exit code; 1 for a worker that was killed */
  async stop(): Promise<number> {
    this.#isEnding = true;
    for (const { timer } of this.#slots) clearTimeout(timer);
    const codes = [...this.#processes].map(async (worker) => {
      const { code } = await worker.end("stop");
      return worker.isReady ? (code ?? 1) : 0;
    });
    return Math.max(0, ...(await Promise.all(codes)));
  }

  /** Ends all workers immediately. */
  kill(): void {
    for (const worker of this.#processes) worker.kill();
  }

  async #startFirst(slot: Slot): Promise<WorkerExit | undefined> {
    const worker = this.#fork();
    const ready = await this.#waitFor(worker);
    if (ready === undefined) {
      this.#isEnding = true;
      return worker.exited;
    }
    this.#describe(ready.description);
    this.#install(slot, worker);
    return undefined;
  }

  async #rollAll(): Promise<void> {
    if (this.#isEnding) return;
    const startedAt = performance.now();
    this.#log.info("The workers restart, one after the other");
    for (const [index, slot] of this.#slots.entries()) {
      clearTimeout(slot.timer);
      // It can have read the config before the change.
      await slot.starting;
      if (this.#isEnding) return;
      const describe = index === 0 ? this.#describe : undefined;
      if (!(await this.#replace(slot, describe))) {
        if (this.#isEnding) return;
        this.#log.error("The restart has failed: the new worker ended before it was ready", {
          workers: this.#slots.filter(({ current }) => current !== undefined).length,
        });
        this.#schedule(slot);
        return;
      }
    }
    const seconds = Math.round(performance.now() - startedAt) / 1000;
    this.#log.info("All workers were restarted", { seconds });
  }

  /** Starts a worker, and then drains the old one of the same slot. @returns whether the new one is ready */
  async #replace(slot: Slot, describe?: (description: string) => void): Promise<boolean> {
    clearTimeout(slot.timer);
    const worker = this.#fork();
    slot.starting = worker.ready;
    const ready = await this.#waitFor(worker);
    slot.starting = undefined;
    if (ready === undefined || this.#isEnding) return false;
    describe?.(ready.description);
    const old = slot.current;
    this.#install(slot, worker);
    await old?.end("replaced");
    return true;
  }

  #install(slot: Slot, worker: WorkerProcess): void {
    slot.current = worker;
    slot.readyAt = performance.now();
    this.#log.info("A worker is ready", { pid: worker.pid });
    void worker.lost.then((exit) => {
      if (slot.current !== worker || this.#isEnding) return;
      slot.current = undefined;
      if (performance.now() - slot.readyAt > stableMilliseconds) slot.failures = 0;
      this.#log.error("A worker has failed", { pid: worker.pid, ...exit });
      this.#schedule(slot);
    });
  }

  /** Starts a worker after a pause, if the slot has none. The pause grows with each failure. */
  #schedule(slot: Slot): void {
    if (slot.current !== undefined || slot.starting !== undefined || this.#isEnding) return;
    const seconds = pauses[slot.failures] ?? maxPause;
    slot.failures++;
    this.#log.info("A worker starts", { pauseSeconds: seconds });
    slot.timer = setTimeout(() => void this.#restart(slot), seconds * 1000);
  }

  async #restart(slot: Slot): Promise<void> {
    if (this.#isEnding) return;
    if (!(await this.#replace(slot))) this.#schedule(slot);
  }

  /** A worker logs its own slow steps, unless a file of an unreachable network drive blocks it, for example. */
  #waitFor(worker: WorkerProcess): WorkerProcess["ready"] {
    return waitForStep(`the worker ${worker.pid} to be ready`, this.#log, worker.ready);
  }

  #fork(): WorkerProcess {
    const worker = new WorkerProcess();
    this.#processes.add(worker);
    this.#metrics.follow(worker, () => this.#processes);
    void worker.exited.then(() => this.#processes.delete(worker));
    return worker;
  }
}

// --- Internal helpers ---

/** One of the N workers, and its successors. */
interface Slot {
  /** The process that accepts connections. */
  current: WorkerProcess | undefined;
  /** Pending while a worker starts. */
  starting: Promise<unknown> | undefined;
  timer: NodeJS.Timeout | undefined;
  /** How many starts followed a failure, since the last worker that ran for a minute. */
  failures: number;
  readyAt: number;
}

/** Seconds before the start that follows the first, second, … failure. */
const pauses = [0, 1, 2, 4, 8, 16];
const maxPause = 30;
/** The next start doesn't wait if the worker before it ran for so long. */
const stableMilliseconds = 60_000;
