/**
 * Measures how fast a phone shows the pages of the site, by the conditions of Lighthouse (docs/speed.md). Run after
 * `npm run test:site`, which builds the site: node bench/site.mjs [page …]
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "../docs/node_modules/vitepress/dist/node/index.js";
import { toTable } from "./markdown.mjs";
import { rootFolder } from "./server.mjs";

const pages = process.argv.slice(2);
if (pages.length === 0) pages.push("index", "tutorial", "config", "rpc", "errors/session_changed");
const runs = 5;

const server = await serve({ root: join(rootFolder, "docs"), port: 0 });
const { port } = server.server.address();
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const rows = [];
for (const name of pages) rows.push(await measure(name));
const head = [
  "page",
  "first text (FCP), s",
  "main text (LCP), s",
  "blocked (TBT), ms",
  "shift (CLS)",
  "kB",
  "requests",
];
const commit = execFileSync("git", ["describe", "--always", "--dirty"], {
  cwd: rootFolder,
  encoding: "utf8",
}).trim();
console.log(
  `${toTable([head, ...rows])}\n\n${commit}, Chromium ${browser.version()}, median of ${runs} visits`,
);
await browser.close();
process.exit();

async function measure(name) {
  const visits = [];
  for (let run = 0; run < runs; run++)
    visits.push(await visit(`http://localhost:${port}/${name}.html`));
  const median = (key) => visits.map((each) => each[key]).toSorted((a, b) => a - b)[runs >> 1];
  return [
    `\`${name}\``,
    (median("fcp") / 1000).toFixed(1),
    (median("lcp") / 1000).toFixed(1),
    median("tbt").toFixed(0),
    median("cls").toFixed(3),
    (median("bytes") / 1000).toFixed(0),
    String(median("requests")),
  ];
}

/** Visits a page for the first time. */
async function visit(url) {
  const context = await browser.newContext({ viewport: { width: 412, height: 823 } });
  const page = await context.newPage();
  const devTools = await context.newCDPSession(page);
  await devTools.send("Network.enable");
  await devTools.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 562.5,
    downloadThroughput: 1_474_560 / 8,
    uploadThroughput: 675_000 / 8,
  });
  await devTools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  let bytes = 0;
  let requests = 0;
  devTools.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests++;
  });
  await page.addInitScript(observe);
  await page.goto(url, { waitUntil: "networkidle" });
  const vitals = await page.evaluate("vitals");
  await context.close();
  return { ...vitals, bytes, requests };
}

/** Runs in the page before its scripts. */
function observe() {
  const vitals = { fcp: 0, lcp: 0, tbt: 0, cls: 0 };
  globalThis.vitals = vitals;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { entryType, name, startTime, duration, hadRecentInput, value } = entry;
      if (name === "first-contentful-paint") vitals.fcp = startTime;
      if (entryType === "largest-contentful-paint") vitals.lcp = startTime;
      if (entryType === "longtask") vitals.tbt += duration - 50;
      if (entryType === "layout-shift" && !hadRecentInput) vitals.cls += value;
    }
  });
  for (const type of ["paint", "largest-contentful-paint", "longtask", "layout-shift"]) {
    observer.observe({ type, buffered: true });
  }
}
