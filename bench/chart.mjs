import { targets } from "./targets.mjs";

/** Bars of the peers' table: requests per second as a share of h3 without sessions. @returns an SVG */
export function drawChart(rows) {
  const panels = ["read", "write"].map((kind) => ({
    kind,
    bars: rows
      .filter(({ row, target }) => row.startsWith(`${kind}/`) && targets[target].storage !== "none")
      .toSorted((a, b) => b.ofBare.rate.median - a.ofBare.rate.median),
  }));
  const greatest = Math.max(1, ...rows.map(({ ofBare }) => ofBare.rate.median));
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
  const note = "Share of the requests per second of h3 v2 without sessions, in the same rounds";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.peer { fill: #afb8c1 }
.ours { fill: #1f6feb }
</style>
<rect width="100%" height="100%" fill="#ffffff" />
<g transform="translate(16 0)">
${drawn.join("\n")}
<text x="0" y="${height - 14}">${note}</text>
</g>
</svg>
`;
}

// --- Internal helpers ---

const width = 760;
const titleHeight = 40;
const barHeight = 24;
const labelWidth = 260;
const longest = width - labelWidth - 90;

function drawBar({ label, target, ofBare }, y, greatest) {
  const share = ofBare.rate.median;
  const length = Math.round((share / greatest) * longest);
  const owner = targets[target].isPeer ? "peer" : "ours";
  return [
    `<text x="0" y="${y + 16}">${label}</text>`,
    `<rect x="${labelWidth}" y="${y + 3}" width="${length}" height="${barHeight - 6}" class="${owner}" />`,
    `<text x="${labelWidth + length + 8}" y="${y + 16}">${Math.round(share * 100)} %</text>`,
  ].join("\n");
}
