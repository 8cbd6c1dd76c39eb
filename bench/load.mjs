import { spawnSync } from "node:child_process";
import { runAutocannon } from "./autocannon.mjs";
import { runWrk } from "./wrk.mjs";

/** The program that sends the load. wrk needs a third of a core, autocannon a whole one. */
export const loader = spawnSync("wrk", ["--version"]).error === undefined ? "wrk" : "autocannon";

let runs = 0;

/**
 * Sends requests for some seconds. Each connection sends the next request after the response to the last one.
 * @returns requests per second, number of requests, p99 in milliseconds, number of errors
 */
export function runLoad(origin, load, options) {
  // No earlier run used these numbers, so every write changes a value.
  const firstNumber = ++runs * 10_000_000;
  const run = loader === "wrk" ? runWrk : runAutocannon;
  return run(origin, load, { ...options, firstNumber });
}
