import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("results.json", import.meta.url);

/** The earlier results. Tables that this run does not measure stay. */
export function readResults() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return { tables: {} };
  }
}

export function writeResults(results) {
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

/**
 * Replaces the rows of a table; only the measured ones, if the run selects rows.
 * @param commit the measured version
 */
export function mergeTable(table, rows, commit, { quick, rows: selected }) {
  const measured = { measuredAt: new Date().toISOString(), quick };
  const marked = rows.map((row) => ({ ...row, commit }));
  if (selected === undefined || table === undefined) return { ...measured, rows: marked };
  const byName = new Map([...table.rows, ...marked].map((row) => [row.row, row]));
  return { ...measured, quick: quick || table.quick, rows: [...byName.values()] };
}
