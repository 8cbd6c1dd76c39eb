import type { MetricData } from "../server/index.ts";

/** Counts of rare events, by name and labels. */
export class EventCounts {
  readonly #counts = new Map<string, Map<string, Count>>();

  /** @param name a key of {@link eventMetrics} */
  add(name: keyof typeof eventMetrics, labels: readonly (string | number)[], count: number): void {
    const counts = this.#counts.get(name) ?? new Map<string, Count>();
    this.#counts.set(name, counts);
    const key = labels.join(" ");
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { labels, value: count });
    else known.value += count;
  }

  toMetrics(): MetricData[] {
    return Object.entries(eventMetrics).map(([name, { help, labels: names }]) => ({
      name: `storefront_${name}_total`,
      help,
      type: "counter",
      aggregator: "sum",
      values: [...(this.#counts.get(name)?.values() ?? [])].map(({ labels, value }) => ({
        value,
        labels: Object.fromEntries(names.map((label, at) => [label, labels[at] as string])),
      })),
    }));
  }
}

// --- Internal helpers ---

interface Count {
  readonly labels: readonly (string | number)[];
  value: number;
}

const eventMetrics = {
  sessions_begun: { help: "Sessions that began, of guests and users.", labels: ["shop", "reason"] },
  sessions_extended: {
    help: "Sessions whose lifetime a call extended.",
    labels: ["shop", "reason"],
  },
  sessions_renewed: {
    help: "Sessions that got another ID, because of its age or a change of privilege.",
    labels: ["shop", "reason"],
  },
  sessions_ended: { help: "Sessions that ended before they expired.", labels: ["shop", "reason"] },
  cache_reads: {
    help: "Reads of cached() by result: hit, miss, or a refresh in the background.",
    labels: ["shop", "result"],
  },
  merges: {
    help: "Merges of a guest's lists into a user's: done, or owed to a later call.",
    labels: ["shop", "outcome"],
  },
  revocations: { help: "Ends of all sessions of a user by this server.", labels: [] },
} satisfies Record<string, { readonly help: string; readonly labels: readonly string[] }>;
