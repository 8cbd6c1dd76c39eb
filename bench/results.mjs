import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("results.json", import.meta.url);

/** What was measured before: tables that are not measured now stay. */
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
 * Puts rows in the place of a table's, or of those of the same name where only some were measured.
 * Of others, they know what they were compared with before.
 * @param commit of what is measured
 */
export function mergeTable(table, rows, commit, { quick, rows: asked }) {
  const measured = { measuredAt: new Date().toISOString(), quick };
  const marked = rows.map((row) => ({ ...row, commit }));
  if (asked === undefined || table === undefined) return { ...measured, rows: marked };
  const byName = new Map(table.rows.map((row) => [row.row, row]));
  for (const row of marked) {
    const known = byName.get(row.row);
    byName.set(row.row, row.of ? { ...row, of: { ...known?.of, ...row.of } } : row);
  }
  return { ...measured, quick: quick || table.quick, rows: [...byName.values()] };
}
