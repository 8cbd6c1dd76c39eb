import { toPercent, toSpread, toTable } from "./markdown.mjs";

/** The most by which the share of a row may differ between two runs on a quiet machine. */
const allowed = 0.1;

/**
 * Compares the shares of node:http in a second run with those of the first.
 * @returns a text with each row that differs by more than 10 %
 */
export function compareRuns(first, second) {
  const pairs = second
    .map((row) => [row, first.find((other) => other.row === row.row)])
    .filter(([, known]) => known !== undefined)
    .map(([{ row, of }, known]) => [row, known.of["node-http"].cpu, of["node-http"].cpu]);
  const differing = pairs.filter(
    ([, { median: a }, { median: b }]) => Math.abs(b / a - 1) > allowed,
  );
  const summary = `${pairs.length - differing.length} of ${pairs.length} rows agree within ${toPercent(allowed)} %`;
  if (differing.length === 0) return summary;
  const lines = differing.map(([row, a, b]) => [row, toSpread(a), toSpread(b)]);
  return `${summary}\n${toTable([["% of node:http", "first run", "second run"], ...lines])}`;
}
