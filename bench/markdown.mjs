import { references, targets } from "./targets.mjs";

/** A Markdown table. The first row is its head. */
export function toTable([head, ...rows]) {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The table of rows from `measureKind`. */
export function toCallsTable(rows) {
  const shares = references.map((name) => `% of ${targets[name].label}`);
  const head = ["row", "", "CPU µs/request", ...shares, "requests/s", "p99 ms", "errors"];
  const lines = rows.map(({ row, label, rate, cpu, p99, errors, of }) => [
    `\`${row}\``,
    label,
    cpu.toFixed(1),
    ...references.map((name) => toSpread(of[name].cpu)),
    toCount(rate),
    p99.toFixed(2),
    String(errors),
  ]);
  return toTable([head, ...lines]);
}

/** A share in percent, with the least and the most of the rounds. */
export function toSpread({ median, least, most }) {
  return `${toPercent(median)} (${toPercent(least)}–${toPercent(most)})`;
}

/** A share in percent, without the sign. */
export function toPercent(share) {
  return (share * 100).toFixed(0);
}

/** A number with separators between the thousands. */
export function toCount(number) {
  return Math.round(number).toLocaleString("en-US");
}
