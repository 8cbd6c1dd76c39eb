import { spawnSync } from "node:child_process";
import { runAutocannon } from "./autocannon.mjs";
import { runWrk } from "./wrk.mjs";

/** What makes the load: wrk costs a third of a core where autocannon costs a whole one. */
export const loader = spawnSync("wrk", ["--version"]).error === undefined ? "wrk" : "autocannon";

let runs = 0;

/**
 * Sends requests for some seconds, each connection the next once it has its answer.
 * @returns requests per second, their number, the 99th percentile in milliseconds, and what went wrong
 */
export function runLoad(origin, load, options) {
  // Numbers that no earlier run has used, so that a write changes something.
  const firstNumber = ++runs * 10_000_000;
  const run = loader === "wrk" ? runWrk : runAutocannon;
  return run(origin, load, { ...options, firstNumber });
}
