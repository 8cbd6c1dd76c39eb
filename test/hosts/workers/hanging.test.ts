import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { until } from "../../_cli.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { openSocket, toCall } from "../../_socket.ts";
import { findWorkers, startWorkers, untilRestarted, workersConfig } from "../../_workers.ts";

describeWithRedis("a worker that hangs", () => {
  const redis = useRedis();
  const start = (settings = "") => startWorkers(workersConfig(redis().url, settings));

  test("leaves the old workers running if it is not ready after 60 seconds", async () => {
    const { server, folder } = await start();
    const config = "await new Promise((resolve) => setTimeout(resolve, 600_000));";
    await writeFile(join(folder, "storefront.config.mjs"), config);
    const startedAt = performance.now();
    server.signal("SIGHUP");
    await expect
      .poll(() => server.stderr, { timeout: 90_000 })
      .toMatch(/ error The restart has failed: .* workers=2\n/);
    expect(performance.now() - startedAt).toBeGreaterThan(59_000);
    expect((await server.call("pid"))[0]).toBe(200);
    expect(findWorkers(server)).toHaveLength(2);
  }, 120_000);

  test("gets killed after its time to drain, so that the restart continues", async () => {
    const methods = "fail: defineRpcMethod({ handler: () => { for (;;); } }),";
    const config = workersConfig(redis().url, "server: { drainTimeout: 1 },");
    const { server } = await startWorkers(config.replace(/fail: .*/, methods));
    const socket = await openSocket(server.origin);
    socket.send(toCall("fail"));
    server.signal("SIGHUP");
    await untilRestarted(server, 1);
    await until(() => socket.isEnded);
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
  }, 60_000);
});
