import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromiumPath, pageModules } from "./_chromium.ts";
import { peersInstalled } from "./_peers.ts";

/** Says once what the machine lacks; in CI, what it lacks is a failure of the tests that need it. */
export function setup(): void {
  if (process.env["CI"]) return;
  if (spawnSync("redis-server", ["--version"]).status !== 0) {
    leaveOut("all tests on Redis", "redis-server", "apt-get install redis-server");
  }
  if (spawnSync(chromiumPath, ["--version"]).status !== 0) {
    leaveOut("all tests in a browser", "chromium", "apt-get install chromium");
  }
  if (spawnSync("openssl", ["version"]).status !== 0) {
    leaveOut("all tests by HTTPS", "openssl", "apt-get install openssl");
  }
  if (!existsSync(pageModules)) {
    const command = "npm ci --prefix examples/vue-axios";
    leaveOut("the test of examples/vue-axios", "node_modules in it", command);
  }
  if (!peersInstalled) {
    const command = "npm ci --prefix test/peers";
    leaveOut("the tests against Vendure and Express", "node_modules in test/peers", command);
  }
}

// --- Internal helpers ---

function leaveOut(tests: string, what: string, command: string): void {
  process.stderr.write(`Left out: ${tests}, for there is no ${what}; get it with: ${command}\n`);
}
