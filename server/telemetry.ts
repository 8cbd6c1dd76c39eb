import { describeError, type Logger } from "../shared/log.ts";
import type { ObservedCall, Observer } from "./observer.ts";
import type { TraceIds } from "../rpc/trace-ids.ts";

/** Receives the events of a storefront. The config lists it in `telemetry`. */
export interface Telemetry extends Partial<Observer> {
  /** For error messages. */
  readonly name: string;
  /**
   * Begins a call. `run` runs it once, for example in the context of a span, and `end` follows with the result. It must not
   * throw.
   */
  begin?(request: { readonly headers: Headers; readonly method: string }): CallSpan;
  /** The metrics for `GET /metrics`. */
  readonly metrics?: MetricsSource | undefined;
}

/** A call in progress, for traces. */
export interface CallSpan {
  /** For the log lines of the call; `undefined` if nothing records or propagates the span. */
  readonly trace?: TraceIds | undefined;
  run<T>(call: () => T): T;
  end(call: ObservedCall): void;
}

/** The metrics of a process, for a page that Prometheus can read. */
export interface MetricsSource {
  /** The port on which `storefront start` serves `/metrics` without a token. */
  readonly port: number | undefined;
  /** The address for this port. Default: that of `--host`. */
  readonly host: string | undefined;
  readonly contentType: string;
  /** Measures this process. */
  measure(state: ProcessState): Promise<MetricsSnapshot>;
  /** Adds up the snapshots of all workers, and formats the result. */
  format(snapshots: readonly MetricsSnapshot[]): Promise<string>;
}

/** The state of this process that isn't an event. */
export interface ProcessState {
  readonly passwordHashes: { readonly running: number; readonly waiting: number };
}

/** The metrics of one process, as JSON data. */
export type MetricsSnapshot = readonly MetricData[];

export interface MetricData {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** How the values of several processes become one, by the names of prom-client. */
  readonly aggregator: string;
  readonly values: readonly MetricValue[];
}

export interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** The name of a histogram's series, for example `…_bucket`. */
  readonly metricName?: string | undefined;
}

/** A record, because the compiler then finds an event that is missing here. */
const events: Record<keyof Observer, true> = {
  call: true,
  storage: true,
  session: true,
  cache: true,
  merge: true,
  revoked: true,
  revocationHeard: true,
};

/** The events that telemetry can receive. */
export const observerEvents = Object.keys(events) as readonly (keyof Observer)[];

/**
 * Creates the observer of a storefront, which passes each event to every telemetry that receives it.
 * @returns `undefined` if there is none, so that calls cost nothing more
 */
export function createObserver(all: readonly Telemetry[], log: Logger): Observer | undefined {
  const used = ["begin", ...observerEvents] as const;
  if (all.every((each) => used.every((name) => each[name] === undefined))) return undefined;
  const entries = observerEvents.map((event) => [event, fanOut(all, event, log)]);
  return Object.fromEntries(entries) as Observer;
}

// --- Internal helpers ---

/** The functions of an observer have four parameters at most. Rest parameters would create an array for each call. */
type Receive = (a?: unknown, b?: unknown, c?: unknown, d?: unknown) => void;

function fanOut(all: readonly Telemetry[], event: keyof Observer, log: Logger): Receive {
  const [first, ...others] = all
    .filter((each) => each[event] !== undefined)
    .map((each) => guard(each, event, log));
  if (first === undefined) return () => undefined;
  if (others.length === 0) return first;
  return (a, b, c, d) => {
    first(a, b, c, d);
    for (const receive of others) receive(a, b, c, d);
  };
}

/** An error of telemetry never fails a call. It is logged once, because each call could have the same. */
function guard(telemetry: Telemetry, event: keyof Observer, log: Logger): Receive {
  const receive = (telemetry[event] as Receive).bind(telemetry);
  let hasFailed = false;
  return (a, b, c, d) => {
    try {
      receive(a, b, c, d);
    } catch (error) {
      if (hasFailed) return;
      hasFailed = true;
      const details = { telemetry: telemetry.name, event, error: describeError(error) };
      log.error("Telemetry has failed; further errors of this event are not logged", details);
    }
  };
}
