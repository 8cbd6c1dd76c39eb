import { spawnSync } from "node:child_process";

/** The core of the measured server, and the core of all that it talks to. */
export const serverCore = 0;
export const loadCore = 1;

/** A command and its arguments, so that it runs on one core. On a machine without both cores, any core. */
export function runOn(core, command, args) {
  return canPin ? ["taskset", ["-c", String(core), command, ...args]] : [command, args];
}

// --- Internal helpers ---

const canPin = [serverCore, loadCore].every(
  (core) => spawnSync("taskset", ["-c", String(core), "true"]).status === 0,
);
