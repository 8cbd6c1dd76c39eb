import { execFileSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";
import { loader } from "./load.mjs";
import { readPeerVersions } from "./peers.mjs";
import { rootFolder } from "./server.mjs";

/** What the measurements were made on. */
export function describeMachine() {
  return {
    processor: cpus()[0].model,
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    redis: /Redis server v=\S+/
      .exec(run("redis-server", ["--version"]))[0]
      .replace(" server v=", " "),
    loader,
    commit: run("git", ["describe", "--always", "--dirty"]).trim(),
    peers: readPeerVersions(),
  };
}

// --- Internal helpers ---

function run(command, args) {
  return execFileSync(command, args, { cwd: rootFolder, encoding: "utf8" });
}
