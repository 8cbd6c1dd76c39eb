/** A table of Markdown; the first row is its head. */
export function toTable([head, ...rows]) {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The table of rows that `measureKind` has measured. */
export function toCallsTable(rows) {
  const head = [
    "row",
    "",
    "requests/s",
    "of bare",
    "processor µs/request",
    "of bare",
    "p99 ms",
    "of bare",
    "errors",
  ];
  const lines = rows.map(({ row, label, rate, cpu, p99, errors, ofBare }) => [
    `\`${row}\``,
    label,
    toCount(rate),
    `${toShare(ofBare.rate.median)} (${toShare(ofBare.rate.least)}–${toShare(ofBare.rate.most)})`,
    cpu.toFixed(1),
    toShare(ofBare.cpu.median),
    p99.toFixed(2),
    `${ofBare.p99.median.toFixed(2)} ×`,
    String(errors),
  ]);
  return toTable([head, ...lines]);
}

/** A share as percent, which is easier to compare than a fraction. */
export function toShare(share) {
  return `${(share * 100).toFixed(0)} %`;
}

/** A number with its thousands apart. */
export function toCount(number) {
  return Math.round(number).toLocaleString("en-US");
}
