import { toPercent } from "./markdown.mjs";
import { targets } from "./targets.mjs";

/** Draws the table of peers: bars for the share of node:http by CPU time. @returns an SVG */
export function drawChart(rows) {
  const panels = ["read", "write"].map((kind) => ({
    kind,
    bars: rows
      .filter(({ row }) => row.startsWith(`${kind}/`))
      .toSorted((a, b) => toShare(b) - toShare(a)),
  }));
  const greatest = Math.max(1, ...rows.map(toShare));
  let y = 0;
  const drawn = panels.flatMap(({ kind, bars }) => {
    y += titleHeight;
    const title = `<text x="0" y="${y - 10}" class="title">${kind}</text>`;
    const lines = bars.map((bar) => {
      y += barHeight;
      return drawBar(bar, y - barHeight, greatest);
    });
    return [title, ...lines];
  });
  const height = y + titleHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.bare { fill: #6e7781 }
.peer { fill: #c4ccd4 }
.ours { fill: #1f6feb }
</style>
<rect width="100%" height="100%" fill="#ffffff" />
<g transform="translate(16 0)">
${drawn.join("\n")}
<text x="0" y="${height - 14}">CPU time per request: share of node:http without batching (dark: servers without sessions)</text>
</g>
</svg>
`;
}

// --- Internal helpers ---

const width = 760;
const titleHeight = 40;
const barHeight = 24;
const labelWidth = 310;
const longest = width - labelWidth - 90;

function toShare({ of }) {
  return of["node-http"].cpu.median;
}

function drawBar(row, y, greatest) {
  const share = toShare(row);
  const length = Math.round((share / greatest) * longest);
  const { storage, isPeer } = targets[row.target];
  const owner = isPeer ? "peer" : storage === "none" ? "bare" : "ours";
  return [
    `<text x="0" y="${y + 16}">${row.label}</text>`,
    `<rect x="${labelWidth}" y="${y + 3}" width="${length}" height="${barHeight - 6}" class="${owner}" />`,
    `<text x="${labelWidth + length + 8}" y="${y + 16}">${toPercent(share)} %</text>`,
  ].join("\n");
}
