import { hashQueueState } from "../rpc/accounts/hash-queue.ts";
import { metricsPath } from "./own-paths.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { createOperatorCheck } from "./operator.ts";
import type { PlainRoute } from "./router.ts";
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

/** Creates `GET /metrics` with the admin token, if the config has metrics and a token. */
export function createMetricsRoute(
  options: StorefrontOptions,
  metrics: Metrics | undefined,
): PlainRoute[] {
  if (metrics === undefined || options.adminTokens.length === 0) return [];
  const assertOperator = createOperatorCheck(options);
  const headers = { "content-type": metrics.source.contentType, "cache-control": "no-store" };
  return [
    {
      path: metricsPath,
      async answer(event) {
        event.assertVerb("GET, HEAD");
        assertOperator(event, "metrics");
        return new Response(await metrics.format(), { statusText: "OK", headers });
      },
    },
  ];
}
