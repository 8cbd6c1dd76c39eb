import { expect } from "vitest";
import { callByTurns } from "./_balancer.ts";
import { createFolder, shops, startCli, until } from "./_cli.ts";
import { testSecret } from "./_setup.ts";

/** The config of workers, whose method `pid` returns the process of the call. `settings` are more keys. */
export function workersConfig(redisUrl: string, settings = ""): string {
  return `import { existsSync, writeFileSync } from "node:fs";
import { defineRpcMethod } from "storefront-core";
export default {
  shops: ${shops},
  session: { secret: ${JSON.stringify(testSecret)} },
  storage: { session: { driver: "redis", url: ${JSON.stringify(redisUrl)} } },
  methods: {
    pid: defineRpcMethod({ handler: () => process.pid }),
    fail: defineRpcMethod({ handler: () => void setTimeout(() => { throw new Error("uncaught"); }) }),
    wait: defineRpcMethod({
      async handler() {
        writeFileSync("running", "");
        while (!existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 5));
        return "waited";
      },
    }),
  },
  ${settings}
};`;
}

/** Starts two workers, and waits until both are ready. */
export async function startWorkers(
  config: string,
  options: { readonly node?: string; readonly env?: Record<string, string> } = {},
) {
  const folder = await createFolder({ "storefront.config.mjs": config });
  const server = await startCli(["start", "--workers", "2"], { folder, ...options });
  await untilReady(server, 2);
  return { folder, server };
}

export type WorkersServer = Awaited<ReturnType<typeof startCli>>;

/** The workers that have ever been ready, in this order. */
export function findWorkers({ stdout }: WorkersServer): readonly number[] {
  return [...stdout.matchAll(/ A worker is ready pid=(\d+)/g)].map(([, pid]) => Number(pid));
}

/** Waits until so many workers have been ready. */
export function untilReady(server: WorkersServer, count: number): Promise<void> {
  return until(() => findWorkers(server).length >= count);
}

/** Waits until so many restarts of all workers are complete. */
export function untilRestarted(server: WorkersServer, count: number): Promise<void> {
  return until(() => server.stdout.split(" All workers were restarted ").length > count);
}

/** Calls the workers while they restart three times, and expects that no call fails. */
export async function expectNoFailures(
  server: WorkersServer,
  { least, isNew }: { readonly least: number; readonly isNew: boolean },
): Promise<void> {
  let isRestarting = true;
  const options = { least, workers: 32, isNew, isOver: () => !isRestarting };
  const calls = callByTurns([server.origin], options);
  const before = server.stdout.split(" All workers were restarted ").length - 1;
  for (const round of [1, 2, 3]) {
    server.signal("SIGHUP");
    await untilRestarted(server, before + round);
  }
  isRestarting = false;
  const { answered, failures } = await calls;
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThanOrEqual(least);
  expect(server.stderr).toBe("");
}
