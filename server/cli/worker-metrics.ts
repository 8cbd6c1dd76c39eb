import type { WorkerProcess } from "./worker-process.ts";
import type { MetricData, MetricsSnapshot, MetricValue } from "../telemetry.ts";

/**
 * The metrics of all workers of a server. Counts of workers that have ended stay in the sum: otherwise Prometheus would
 * take the smaller sum for a restart, and count everything twice.
 */
export class WorkerMetrics {
  /** The latest snapshot of each worker. */
  readonly #latest = new Map<WorkerProcess, MetricsSnapshot>();
  /** Called when a worker has sent a snapshot, or has ended. */
  readonly #waiting = new Map<WorkerProcess, (() => void)[]>();
  #ended: MetricsSnapshot = [];

  /** Follows a worker until it ends, and sends it the metrics of `all` workers when it requests them. */
  follow(worker: WorkerProcess, all: () => Iterable<WorkerProcess>): void {
    worker.onMetrics({
      measured: (snapshot) => {
        this.#latest.set(worker, snapshot);
        this.#wake(worker);
      },
      gather: () => void this.#gather(all()).then((snapshots) => worker.sendMetrics(snapshots)),
    });
    void worker.exited.then(() => {
      this.#ended = addCounts(this.#ended, this.#latest.get(worker) ?? []);
      this.#latest.delete(worker);
      this.#wake(worker);
    });
  }

  /** Measures all workers. If one doesn't respond, for example because it is blocked, its latest snapshot is used. */
  async #gather(workers: Iterable<WorkerProcess>): Promise<readonly MetricsSnapshot[]> {
    const ready = Array.from(workers).filter(({ isReady }) => isReady);
    await Promise.all(ready.map((worker) => this.#measure(worker)));
    return [...this.#latest.values(), this.#ended];
  }

  #measure(worker: WorkerProcess): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longestWait);
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.set(worker, [...(this.#waiting.get(worker) ?? []), wake]);
      if (!worker.measure()) wake();
    });
  }

  #wake(worker: WorkerProcess): void {
    const waiting = this.#waiting.get(worker) ?? [];
    this.#waiting.delete(worker);
    for (const wake of waiting) wake();
  }
}

// --- Internal helpers ---

/** Milliseconds. Prometheus waits for 10 seconds by default. */
const longestWait = 1000;

/** Adds the counters and histograms of a snapshot to a sum. */
function addCounts(sum: MetricsSnapshot, added: MetricsSnapshot): MetricsSnapshot {
  const counts = added.filter(({ type }) => type !== "gauge");
  const metrics = new Map<string, MetricData>(sum.map((metric) => [metric.name, metric]));
  for (const metric of counts) {
    const values = [...(metrics.get(metric.name)?.values ?? []), ...metric.values];
    metrics.set(metric.name, { ...metric, values: addUp(values) });
  }
  return [...metrics.values()];
}

/** Adds the values with the same name and labels. */
function addUp(values: readonly MetricValue[]): readonly MetricValue[] {
  const sums = new Map<string, MetricValue>();
  for (const one of values) {
    const key = JSON.stringify([one.metricName, Object.entries(one.labels).toSorted()]);
    const { value = 0 } = sums.get(key) ?? {};
    sums.set(key, { ...one, value: value + one.value });
  }
  return [...sums.values()];
}
