import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { chromiumPath, pageModules } from "./_chromium.ts";
import { isPostgreSqlAvailable } from "./_postgresql.ts";
import { peersInstalled } from "./_peers.ts";

/** Prints the missing programs once, and the number of fuzz inputs at the end. */
export function setup(project: TestProject): () => void {
  // In CI, a missing program fails the tests that need it.
  if (!process.env["CI"]) sayWhatLacks();
  const directory = mkdtempSync(join(tmpdir(), "storefront-fuzz-"));
  const counts = join(directory, "counts");
  writeFileSync(counts, "");
  project.provide("fuzzCounts", counts);
  return () => {
    const lines = readFileSync(counts, "utf8").split("\n").filter(Boolean);
    const sum = lines.reduce((all, line) => all + Number(line), 0);
    rmSync(directory, { recursive: true });
    if (sum > 0) process.stderr.write(`Fuzzing: ${sum} inputs, ${lines.length} properties\n`);
  };
}

// --- Internal helpers ---

function sayWhatLacks(): void {
  if (spawnSync("redis-server", ["--version"]).status !== 0) {
    leaveOut("all tests on Redis", "redis-server", "apt-get install redis-server");
  }
  if (spawnSync(chromiumPath, ["--version"]).status !== 0) {
    leaveOut("all tests in a browser", "chromium", "apt-get install chromium");
  }
  if (!isPostgreSqlAvailable) {
    leaveOut("all tests on PostgreSQL", "postgres and initdb", "apt-get install postgresql");
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

function leaveOut(tests: string, what: string, command: string): void {
  process.stderr.write(`Left out: ${tests}, for there is no ${what}; get it with: ${command}\n`);
}
