import type {
  MetricData,
  ObservedCall,
  StorageOperation,
  StorageOutcome,
} from "../server/index.ts";
import { other } from "./other-value.ts";
import { DurationSeries, toHistogram } from "./prometheus-durations.ts";
import { countEvents } from "./prometheus-events.ts";

/** The numbers of one process since its start. Calls only add to plain fields; a scrape makes metrics of them. */
export class StorefrontSeries {
  readonly events = countEvents();
  readonly revocationAge = new DurationSeries(ageBounds);
  readonly #shops = new Map<number | undefined, ShopSeries>();
  readonly #drivers = new Map<string, Map<StorageOperation, StorageSeries>>();

  addCall(call: ObservedCall): void {
    let shop = this.#shops.get(call.shopId);
    if (shop === undefined) this.#shops.set(call.shopId, (shop = new ShopSeries()));
    shop.add(call);
  }

  addStorage(
    driver: string,
    operation: StorageOperation,
    outcome: StorageOutcome,
    seconds: number,
  ): void {
    let operations = this.#drivers.get(driver);
    if (operations === undefined) this.#drivers.set(driver, (operations = new Map()));
    let series = operations.get(operation);
    if (series === undefined) operations.set(operation, (series = new StorageSeries()));
    series[outcome]++;
    series.duration.observe(seconds);
  }

  toMetrics(): MetricData[] {
    const calls = [...this.#shops].flatMap(([shopId, { methods }]) =>
      [...methods].map(([method, series]) => ({
        labels: { shop: toLabel(shopId), method: toLabel(method) },
        series,
      })),
    );
    const operations = [...this.#drivers].flatMap(([driver, all]) =>
      [...all].map(([operation, series]) => ({ labels: { driver, operation }, series })),
    );
    return [
      toCounter(
        "storefront_calls_total",
        "Calls by shop, method, HTTP status, and error code.",
        calls.flatMap(({ labels, series }) => series.toCounts(labels)),
      ),
      toHistogram(
        "storefront_call_duration_seconds",
        "Seconds from the headers of a call to its response.",
        calls.map(({ labels, series }) => [labels, series.duration] as const),
      ),
      toCounter(
        "storefront_session_lookups_total",
        "Session lookups of calls by result, and by source: the cache of a process, or the storage.",
        [...this.#shops].flatMap(([shopId, series]) => series.toLookups(toLabel(shopId))),
      ),
      toCounter(
        "storefront_storage_operations_total",
        "Operations of storages. A conflict is tried again on the newer document.",
        operations.flatMap(({ labels, series }) => series.toCounts(labels)),
      ),
      toHistogram(
        "storefront_storage_operation_duration_seconds",
        "Seconds of the operations of storages.",
        operations.map(({ labels, series }) => [labels, series.duration] as const),
      ),
      toHistogram(
        "storefront_revocation_age_seconds",
        "Seconds from the end of a user's sessions on another server until this server learned of it.",
        [[{}, this.revocationAge]],
      ),
      ...this.events.toMetrics(),
    ];
  }
}

// --- Internal helpers ---

const callBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const storageBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3];
const ageBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The most different error codes of a method, because a method can throw any text as the code of an `RpcError`. */
const maxCodes = 50;

type Labels = Readonly<Record<string, string | number>>;

class ShopSeries {
  readonly methods = new Map<string | undefined, MethodSeries>();
  #cached = 0;
  readonly #lookups = new Map<string, number>();

  add(call: ObservedCall): void {
    let method = this.methods.get(call.method);
    if (method === undefined) this.methods.set(call.method, (method = new MethodSeries()));
    method.add(call);
    if (call.isCached) this.#cached++;
    else if (call.session !== undefined) {
      this.#lookups.set(call.session, (this.#lookups.get(call.session) ?? 0) + 1);
    }
  }

  toLookups(shop: string | number) {
    return [
      { value: this.#cached, labels: { shop, state: "active", source: "cache" } },
      ...[...this.#lookups].map(([state, value]) => {
        return { value, labels: { shop, state, source: state === "none" ? "none" : "storage" } };
      }),
    ];
  }
}

class MethodSeries {
  readonly duration = new DurationSeries(callBounds);
  /** Calls with the status 200, which are most of them. */
  #ok = 0;
  readonly #others = new Map<string, { readonly labels: Labels; value: number }>();

  add({ status, code, seconds }: ObservedCall): void {
    this.duration.observe(seconds);
    if (status === 200 && code === undefined) this.#ok++;
    else this.#addOther(status, code ?? (status < 400 ? "ok" : `http_${status}`));
  }

  toCounts(labels: Labels) {
    const others = [...this.#others.values()];
    return [{ labels: { status: 200, code: "ok" }, value: this.#ok }, ...others].map((one) => {
      return { value: one.value, labels: { ...labels, ...one.labels } };
    });
  }

  #addOther(status: number, code: string): void {
    const isKnown = this.#others.has(`${status} ${code}`);
    const known = isKnown || (isCode(code) && this.#others.size < maxCodes) ? code : other;
    const key = `${status} ${known}`;
    const series = this.#others.get(key);
    if (series === undefined) this.#others.set(key, { labels: { status, code: known }, value: 1 });
    else series.value++;
  }
}

class StorageSeries {
  readonly duration = new DurationSeries(storageBounds);
  ok = 0;
  conflict = 0;
  error = 0;

  toCounts(labels: Labels) {
    const { ok, conflict, error } = this;
    return Object.entries({ ok, conflict, error }).map(([outcome, value]) => {
      return { value, labels: { ...labels, outcome } };
    });
  }
}

function toCounter(name: string, help: string, values: MetricData["values"]): MetricData {
  return { name, help, type: "counter", aggregator: "sum", values };
}

function toLabel<T extends string | number>(known: T | undefined): T | string {
  return known ?? other;
}

function isCode(code: string): boolean {
  return /^[a-z][a-z0-9_]{0,63}$/.test(code);
}
