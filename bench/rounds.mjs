import { runLoad } from "./load.mjs";

/** Connections of a load, over all servers of an entry. */
export const connections = 64;

/**
 * Measures entries in turns, in a different order each round. A disturbance of the machine then affects all of them.
 * @param entries each with its `servers` and their `load`
 * @returns for each entry its figures in each round
 */
export async function measureInTurns(entries, { rounds, seconds, warmUp }) {
  const measured = entries.map(() => []);
  for (const entry of entries) await measureOnce(entry, warmUp);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const at = (round + turn) % entries.length;
      measured[at].push(await measureOnce(entries[at], seconds));
    }
  }
  return measured;
}

/** The median of some numbers. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The ratio of a figure of two entries in the same rounds: median, least, and most. */
export function compare(rounds, base, figure) {
  const ratios = rounds.map((round, at) => round[figure] / base[at][figure]);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** The medians of an entry's figures, and the sum of its errors. */
export function summarize(rounds) {
  const middle = (figure) => median(rounds.map((round) => round[figure]));
  const errors = sum(rounds.map((round) => round.errors));
  return { rate: middle("rate"), cpu: middle("cpu"), p99: middle("p99"), errors };
}

// --- Internal helpers ---

/** Requests per second, CPU time per request in microseconds, p99 in milliseconds, errors. */
async function measureOnce({ servers, load }, seconds) {
  const options = { seconds, connections: connections / servers.length };
  const readAll = () => sum(servers.map((server) => server.readCpu()));
  const before = readAll();
  const results = await Promise.all(servers.map(({ origin }) => runLoad(origin, load, options)));
  const cpu = readAll() - before;
  const total = (figure) => sum(results.map((result) => result[figure]));
  return {
    rate: total("rate"),
    cpu: cpu / total("requests"),
    p99: Math.max(...results.map(({ p99 }) => p99)),
    errors: total("errors"),
  };
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
