import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { loader } from "./load.mjs";
import { rootFolder } from "./server.mjs";

/** Describes the machine and the programs of a run. */
export function describeMachine() {
  return {
    processor: cpus()[0].model,
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split("-")[0]}`,
    node: process.versions.node,
    redis: /Redis server v=\S+/
      .exec(run("redis-server", ["--version"]))[0]
      .replace(" server v=", " "),
    loader: describeLoader(),
    commit: run("git", ["describe", "--always", "--dirty"]).trim(),
    dependencies: readVersions("package.json"),
    peers: readVersions("bench/peers/package.json"),
  };
}

// --- Internal helpers ---

/** wrk prints its version, but exits with an error. */
function describeLoader() {
  if (loader !== "wrk") return loader;
  const { stdout } = spawnSync("wrk", ["--version"], { encoding: "utf8" });
  return /wrk [^ ]*/.exec(stdout)?.[0] ?? loader;
}

function readVersions(file) {
  return JSON.parse(readFileSync(join(rootFolder, file), "utf8")).dependencies;
}

function run(command, args) {
  return execFileSync(command, args, { cwd: rootFolder, encoding: "utf8" });
}
