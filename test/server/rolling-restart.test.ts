import { expect, test } from "vitest";
import { callByTurns } from "../_balancer.ts";
import { createFolder, plain, startCli } from "../_cli.ts";
import { findFreePort } from "../_command.ts";

test("completes all of 20,000 calls while two servers restart one after the other", async () => {
  const folder = await createFolder({ "storefront.config.ts": plain });
  const ports = [await findFreePort(), await findFreePort()];
  const start = (port: number) => startCli(["start"], { folder, port });
  const servers = await Promise.all(ports.map(start));
  let isRestarting = true;
  const calls = callByTurns(
    servers.map(({ origin }) => origin),
    { least: 20_000, workers: 32, isOver: () => !isRestarting },
  );
  for (const index of [0, 1, 0, 1]) {
    const server = servers[index] as (typeof servers)[0];
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(server.stderr).toBe("");
    servers[index] = await start(ports[index] as number);
  }
  isRestarting = false;
  const { answered, failures } = await calls;
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThanOrEqual(20_000);
}, 120_000);
