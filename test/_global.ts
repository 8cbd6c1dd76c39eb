import { spawnSync } from "node:child_process";
import { howToInstallPeers, peersInstalled } from "./_peers.ts";

/** Says once what the machine lacks; in CI, what it lacks is a failure of the tests that need it. */
export function setup(): void {
  if (process.env["CI"]) return;
  const isMissing = spawnSync("redis-server", ["--version"]).status !== 0;
  if (isMissing) {
    say(
      "all tests on Redis, for there is no redis-server; get it with: apt-get install redis-server",
    );
  }
  if (!peersInstalled) {
    say(`the tests against Vendure and Express, for they are not installed; ${howToInstallPeers}`);
  }
}

// --- Internal helpers ---

function say(what: string): void {
  process.stderr.write(`Left out: ${what}\n`);
}
