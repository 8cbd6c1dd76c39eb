import { readFileSync, writeFileSync } from "node:fs";
import { toShare, toTable } from "./markdown.mjs";
import { targets } from "./targets.mjs";

const file = new URL("../README.md", import.meta.url);
const [begin, end] = ["<!-- the bench writes this: begin -->\n", "<!-- end -->"];

/**
 * Puts the main table into the README, in the place that is marked for it.
 * @param rows those of the peers' table
 */
export function updateReadme(rows) {
  const text = readFileSync(file, "utf8");
  const [before, rest] = text.split(begin);
  const [, after] = rest.split(end);
  writeFileSync(file, [before, begin, toMainTable(rows), "\n", end, after].join(""));
}

// --- Internal helpers ---

const kinds = ["read", "write", "guest"];

function toMainTable(rows) {
  const shareOf = (kind, name) => {
    const found = rows.find(({ row }) => row === `${kind}/${name}`);
    return found === undefined ? "" : toShare(found.ofBare.rate.median);
  };
  const names = Object.keys(targets).filter((name) => targets[name].storage !== "none");
  const lines = names
    .map((name) => [targets[name].label, ...kinds.map((kind) => shareOf(kind, name))])
    .filter(([, ...shares]) => shares.some((share) => share !== ""));
  return toTable([["share of h3 without sessions", ...kinds], ...lines]);
}
