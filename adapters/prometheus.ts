import { assertOptions } from "../shared/similar.ts";
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Registry,
  type MetricObject,
} from "prom-client";
import type { MetricsSnapshot, ProcessState, Telemetry } from "../server/index.ts";
import { StorefrontSeries } from "./prometheus-series.ts";

/** The address of `/metrics` with `storefront start`. */
export interface PrometheusOptions {
  /**
   * A port of its own, without a token: keep it inside your network. Default: none. `/metrics` then needs the admin
   * token, on the port of the calls.
   */
  readonly port?: number;
  /** The address for this port. Default: that of `--host`. */
  readonly host?: string;
}

/**
 * Counts calls, storage operations, and sessions for Prometheus. Add it to `telemetry` in the config. It needs the
 * package `prom-client`.
 * @throws RangeError if the port is invalid; TypeError for a misspelled option
 */
export function prometheus(options: PrometheusOptions = {}): Telemetry {
  assertOptions("prometheus", options, { port: true, host: true });
  const { port, host } = options;
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new RangeError(`prometheus(): port is ${port} – expected a whole number, 1 to 65535`);
  }
  const series = new StorefrontSeries();
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // Show the slowest of several workers: the average hides one that is blocked.
  const delay = registry.getSingleMetric("nodejs_eventloop_lag_p99_seconds");
  if (delay !== undefined) Object.assign(delay, { aggregator: "max" });
  return {
    name: "prometheus",
    ...series.events.receivers,
    call: (call) => series.addCall(call),
    storage: (driver, operation, outcome, seconds) =>
      series.addStorage(driver, operation, outcome, seconds),
    revocationHeard: (seconds) => series.revocationAge.observe(seconds),
    metrics: {
      port,
      host,
      contentType: registry.contentType,
      async measure(state) {
        const ofNode = (await registry.getMetricsAsJSON()) as unknown as MetricsSnapshot;
        return [...series.toMetrics(), toHashes(state), ...ofNode].map(withoutGaps);
      },
      format: (snapshots) => AggregatorRegistry.aggregate(toObjects(snapshots)).metrics(),
    },
  };
}

// --- Internal helpers ---

function toHashes({ passwordHashes }: ProcessState): MetricsSnapshot[number] {
  return {
    name: "storefront_password_hashes",
    help: "Password hashes that run, or wait for a free thread.",
    type: "gauge",
    aggregator: "sum",
    values: Object.entries(passwordHashes).map(([state, value]) => ({ value, labels: { state } })),
  };
}

/** Removes values that JSON can't hold: some metrics of Node are `NaN` before their first event. */
function withoutGaps(metric: MetricsSnapshot[number]): MetricsSnapshot[number] {
  return { ...metric, values: metric.values.filter(({ value }) => Number.isFinite(value)) };
}

/** The types of prom-client are those of a single registry, and `aggregate` accepts the JSON of several. */
function toObjects(snapshots: readonly MetricsSnapshot[]): MetricObject[] {
  return snapshots as unknown as MetricObject[];
}
