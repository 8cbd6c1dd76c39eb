import { readFileSync, writeFileSync } from "node:fs";
import { toPercent, toSpread, toTable } from "./markdown.mjs";
import { targets } from "./targets.mjs";

const file = new URL("../README.md", import.meta.url);
const [begin, end] = ["<!-- the bench writes this: begin -->\n", "<!-- end -->"];

/**
 * Writes the main table and its explanation into the README, between two marks.
 * @param rows all rows of the table of peers
 */
export function updateReadme(rows) {
  const text = readFileSync(file, "utf8");
  const [before, rest] = text.split(begin);
  const [, after] = rest.split(end);
  const section = `${toExplanation(rows)}\n\n${toMainTable(rows)}\n`;
  writeFileSync(file, [before, begin, section, end, after].join(""));
}

// --- Internal helpers ---

const kinds = ["read", "write", "basket", "guest"];

function toExplanation(rows) {
  const shareOf = (kind, name) => findShares(rows, kind, name)?.["node-http"].cpu.median;
  const read = (name) => toText(shareOf("read", name));
  const onEqualTerms = (kind) => {
    return toText(shareOf(kind, "ours-memory") / shareOf(kind, "node-http-batched"));
  };
  return `The table compares the CPU time per request with a bare \`node:http\` server and a bare h3 v2 server in the same rounds: 200 % means
half the CPU time of that server. Each server runs on one core, with 64 connections and a user of 600 bytes. A read is
\`getUser\`, a write changes a field of the session, a basket call is \`addItemToBasket\`, and a guest calls \`getUser\` without a
session. Brackets contain the lowest and the highest round.

**Much of this speed comes from batching, not from sessions.** \`storefront start\` lets each call wait until the event loop has read all
requests that arrived. So the same code runs for many calls in a row. The same few lines bring \`node:http\` from 100 %
to ${read("node-http-batched")}, and h3 from ${read("h3")} to ${read("h3-batched")}. A read of Storefront Core has ${read("ours-memory")} with batching, and ${read("ours-h3-app")} without it in an h3 app.
Compared with \`node:http\` with the same batching, a read in memory has ${onEqualTerms("read")}, a write ${onEqualTerms("write")}, a basket call ${onEqualTerms("basket")}, and a guest's call ${onEqualTerms("guest")}.
With few connections there is little to batch, so these figures need many visitors at the same time.`;
}

/** A share, or a dash if a run has not measured it. */
function toText(share) {
  return Number.isFinite(share) ? `${toPercent(share)} %` : "–";
}

function toMainTable(rows) {
  const head = kinds.flatMap((kind) => [`${kind}, % of node:http`, "% of h3"]);
  const lines = Object.entries(targets)
    .map(([name, { label }]) => [label, ...kinds.flatMap((kind) => toCells(rows, kind, name))])
    .filter(([, ...cells]) => cells.some((cell) => cell !== ""));
  return toTable([["", ...head], ...lines]);
}

function toCells(rows, kind, name) {
  const shares = findShares(rows, kind, name);
  if (shares === undefined) return ["", ""];
  return [toSpread(shares["node-http"].cpu), toPercent(shares.h3.cpu.median)];
}

function findShares(rows, kind, name) {
  return rows.find(({ row }) => row === `${kind}/${name}`)?.of;
}
