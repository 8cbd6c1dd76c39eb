import { hashQueueState } from "../rpc/accounts/hash-queue.ts";
import type { MetricsSnapshot, MetricsSource, Telemetry } from "./telemetry.ts";

/** Gathers the snapshots of all workers of a server. */
export type GatherMetrics = () => Promise<readonly MetricsSnapshot[]>;

/** The metrics of this process, or of all workers. */
export class Metrics {
  readonly source: MetricsSource;
  readonly #gather: GatherMetrics;

  /** @param gather default: this process alone */
  constructor(source: MetricsSource, gather?: GatherMetrics) {
    this.source = source;
    this.#gather = gather ?? (async () => [await this.measure()]);
  }

  measure(): Promise<MetricsSnapshot> {
    return this.source.measure({ passwordHashes: hashQueueState() });
  }

  /** The text of `/metrics`. */
  async format(): Promise<string> {
    return this.source.format(await this.#gather());
  }
}

/** The metrics of a config's telemetry, if it has some. */
export function openMetrics(
  telemetry: readonly Telemetry[],
  gather?: GatherMetrics,
): Metrics | undefined {
  const source = telemetry.find(({ metrics }) => metrics !== undefined)?.metrics;
  return source && new Metrics(source, gather);
}
