import cluster, { type Worker } from "node:cluster";
import type { MetricsSnapshot } from "../telemetry.ts";

/** Messages of the primary. */
export type PrimaryMessage =
  /** `replaced` if another worker has taken over, `stop` if the whole server shuts down. */
  | { readonly storefront: "replaced" | "stop" }
  /** The worker must send a snapshot of its metrics. */
  | { readonly storefront: "measure" }
  /** The metrics of all workers, which this worker requested. */
  | { readonly storefront: "gathered"; readonly snapshots: readonly MetricsSnapshot[] };

/** Messages of a worker. */
export type WorkerMessage =
  | {
      /** It accepts connections. */
      readonly storefront: "ready";
      /** The address, shops, storages, and warnings, for the operator. */
      readonly description: string;
      /** The longest time that its shutdown takes by its config, in seconds. */
      readonly drainSeconds: number;
    }
  /** An error that nothing caught: it drains, and ends. */
  | { readonly storefront: "failing" }
  /** A snapshot of its metrics: an answer to `measure`, or the last one before it ends. */
  | { readonly storefront: "measured"; readonly snapshot: MetricsSnapshot }
  /** It needs the metrics of all workers. */
  | { readonly storefront: "gather" };

/** How a worker ended. */
export interface WorkerExit {
  /** `null` if a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

/** One worker process, as the primary sees it. */
export class WorkerProcess {
  /** Resolves to its `ready` message, or to `undefined` if it ended before, or took longer than {@link maxStart}. */
  readonly ready: Promise<(WorkerMessage & { readonly storefront: "ready" }) | undefined>;
  /** Resolves when it has ended, or when it drains because of an error; the code and the signal are unknown then. */
  readonly lost: Promise<Partial<WorkerExit>>;
  readonly exited: Promise<WorkerExit>;
  readonly #worker: Worker;
  #drainSeconds = 0;
  #isReady = false;

  constructor() {
    const worker = cluster.fork();
    this.#worker = worker;
    this.exited = new Promise((resolve) => {
      worker.once("exit", (code, signal) => resolve({ code, signal }));
      // The system can have too many processes. Errors of a message need no answer, because `exit` follows.
      worker.on("error", () => {
        if (worker.process.pid === undefined) resolve({ code: 1, signal: null });
      });
    });
    this.lost = new Promise((resolve) => {
      worker.on("message", (message: WorkerMessage) => {
        if (message?.storefront === "failing") resolve({});
      });
      void this.exited.then(resolve);
    });
    this.ready = new Promise((resolve) => {
      const timer = setTimeout(() => this.kill(), maxStart * 1000);
      worker.on("message", (message: WorkerMessage) => {
        if (message?.storefront !== "ready") return;
        clearTimeout(timer);
        this.#isReady = true;
        this.#drainSeconds = message.drainSeconds;
        resolve(message);
      });
      void this.exited.then(() => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  /** Whether it has ever accepted connections. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Drains it, and waits until it has ended. If it hangs, it is killed.
   * @param reason see {@link PrimaryMessage}
   */
  async end(reason: "replaced" | "stop"): Promise<WorkerExit> {
    if (this.#isReady) {
      this.#send({ storefront: reason });
    } else {
      // It can listen already, although its message has not arrived. Before that, the signal ends it immediately.
      this.#worker.process.kill("SIGTERM");
    }
    const timer = setTimeout(() => this.kill(), (this.#drainSeconds + graceSeconds) * 1000);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** Asks for its metrics, which it sends by `measured`. @returns `false` if it is about to end */
  measure(): boolean {
    const isConnected = this.#worker.isConnected();
    if (isConnected) this.#send({ storefront: "measure" });
    return isConnected;
  }

  sendMetrics(snapshots: readonly MetricsSnapshot[]): void {
    if (this.#worker.isConnected()) this.#send({ storefront: "gathered", snapshots });
  }

  /** Calls back for each message about metrics. */
  onMetrics(on: {
    readonly measured: (snapshot: MetricsSnapshot) => void;
    readonly gather: () => void;
  }): void {
    this.#worker.on("message", (message: WorkerMessage) => {
      if (message?.storefront === "measured") on.measured(message.snapshot);
      if (message?.storefront === "gather") on.gather();
    });
  }

  #send(message: PrimaryMessage): void {
    this.#worker.send(message, () => undefined);
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }
}

// --- Internal helpers ---

/** Seconds that a worker can take to load its config and listen. */
const maxStart = 60;
/** Seconds that a worker can take to close its storages, after its connections have ended. */
const graceSeconds = 10;
