import type { MetricData, Telemetry } from "../server/index.ts";

/** Counts rare events, by name and labels. */
export function countEvents() {
  const countsOf = new Map<string, Map<string, Count>>();

  function add(
    name: keyof typeof eventMetrics,
    labels: readonly (string | number)[],
    count = 1,
  ): void {
    const counts = countsOf.get(name) ?? new Map<string, Count>();
    countsOf.set(name, counts);
    const key = labels.join(" ");
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { labels, value: count });
    else known.value += count;
  }

  return {
    receivers: {
      session: (shop, event, reason, count) => add(`sessions_${event}`, [shop, reason], count),
      cache: (shop, result) => add("cache_reads", [shop, result]),
      merge: (shop, outcome) => add("merges", [shop, outcome]),
      revoked: () => add("revocations", []),
    } satisfies Partial<Telemetry>,

    toMetrics: (): MetricData[] =>
      Object.entries(eventMetrics).map(([name, { help, labels: names }]) => ({
        name: `storefront_${name}_total`,
        help,
        type: "counter",
        aggregator: "sum",
        values: [...(countsOf.get(name)?.values() ?? [])].map(({ labels, value }) => ({
          value,
          labels: Object.fromEntries(names.map((label, at) => [label, labels[at] as string])),
        })),
      })),
  };
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
