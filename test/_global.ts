import { spawnSync } from "node:child_process";

/** Says once what the machine lacks; in CI, what it lacks is a failure of the tests that need it. */
export function setup(): void {
  const isMissing = spawnSync("redis-server", ["--version"]).status !== 0;
  if (isMissing && !process.env["CI"]) {
    process.stderr.write(
      "Left out: all tests on Redis, for there is no redis-server; get it with: apt-get install redis-server\n",
    );
  }
}
