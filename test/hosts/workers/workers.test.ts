import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { expectNoFailures, startWorkers, workersConfig } from "../../_workers.ts";

const folder = import.meta.dirname;
const node24 = join(folder, "node_modules/.bin/node");

beforeAll(() => {
  execFileSync("npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund"], { stdio: "pipe" });
});

describeWithRedis("workers that restart three times", () => {
  const redis = useRedis();

  test.each([
    ["this Node", "kept-alive", { isNew: false }],
    ["this Node", "new", { isNew: true }],
    ["Node 24", "kept-alive", { isNew: false, node: node24 }],
    ["Node 24", "new", { isNew: true, node: node24 }],
  ] as const)(
    "on %s complete all of 50,000 calls on %s connections",
    async (_, __, { isNew, ...options }) => {
      const { server } = await startWorkers(workersConfig(redis().url), options);
      await expectNoFailures(server, { least: 50_000, isNew });
      server.signal("SIGTERM");
      expect(await server.exited).toBe(0);
    },
    300_000,
  );

  test("Node 24 is the one that runs them", () => {
    expect(execFileSync(node24, ["--version"], { encoding: "utf8" })).toMatch(/^v24\./);
  });
});
