/** Measures all tables or some, and writes RESULTS.md and the table of the README: npm run bench -- --help */
import { writeFileSync } from "node:fs";
import { compareRuns } from "./again.mjs";
import { drawChart } from "./chart.mjs";
import { describeMachine } from "./machine.mjs";
import { readOptions, usage } from "./options.mjs";
import { installPeers } from "./peers.mjs";
import { updateReadme } from "./readme.mjs";
import { toReport } from "./report.mjs";
import { mergeTable, readResults, writeResults } from "./results.mjs";
import * as calls from "./tables/calls.mjs";
import * as commands from "./tables/commands.mjs";
import * as peers from "./tables/peers.mjs";
import * as scale from "./tables/scale.mjs";
import * as soak from "./tables/soak.mjs";
import * as start from "./tables/start.mjs";

const modules = { calls, peers, scale, start, commands, soak };

const options = readOptions(Object.keys(modules));
if (options.help) {
  console.log(usage);
} else {
  installPeers();
  const results = { ...readResults(), machine: describeMachine() };
  for (const [name, { title, measure }] of Object.entries(modules)) {
    if (!isWanted(name)) continue;
    const startedAt = Date.now();
    const rows = await measure(options);
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    console.log(`${title}: ${rows.length} rows in ${seconds} s`);
    if (options.again) {
      console.log(compareRuns(results.tables[name]?.rows ?? [], rows));
      continue;
    }
    results.tables[name] = mergeTable(results.tables[name], rows, results.machine.commit, options);
    // After each table, so that an interrupted run loses one table only.
    write(results);
  }
}

function isWanted(name) {
  if (options.only !== undefined) return options.only.includes(name);
  return name !== "soak" || options.soak;
}

function write(results) {
  writeResults(results);
  writeFileSync(new URL("RESULTS.md", import.meta.url), toReport(results, modules));
  if (results.tables.peers === undefined) return;
  writeFileSync(new URL("chart.svg", import.meta.url), drawChart(results.tables.peers.rows));
  updateReadme(results.tables.peers.rows);
}
