import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { createFolder, plain, runCli, startCli, until } from "../../_cli.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { testSecret } from "../../_setup.ts";
import { isListening, openSocket, toCall } from "../../_socket.ts";
import {
  expectNoFailures,
  findWorkers,
  startWorkers,
  untilReady,
  untilRestarted,
  workersConfig,
  type WorkersServer,
} from "../../_workers.ts";

const file = "storefront.config.mjs";

describeWithRedis("start --workers", () => {
  const redis = useRedis();
  const start = (settings = "") => startWorkers(workersConfig(redis().url, settings));

  test.each([
    ["kept-alive", false],
    ["new", true],
  ])(
    "completes all of 5,000 calls on %s connections during three restarts",
    async (_, isNew) => {
      const { server } = await start();
      await expectNoFailures(server, { least: 5000, isNew });
      expect(new Set(findWorkers(server)).size).toBe(8);
      server.signal("SIGTERM");
      expect(await server.exited).toBe(0);
    },
    60_000,
  );

  test("distributes connections to all workers, which share sessions", async () => {
    const { server } = await start();
    const before = findWorkers(server);
    expect(await pidsOf(server)).toEqual(new Set(before));
    let cookie = "";
    const call = async (method: string, payload?: object) => {
      const { headers, text } = await callAnew(server, method, { payload, cookie });
      cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? cookie;
      return JSON.parse(text) as { readonly basket: { readonly itemCount: number } };
    };
    for (let variantId = 1; variantId <= 10; variantId++) {
      await call("addItemToBasket", { variantId, quantity: 1 });
    }
    expect((await call("getBasket")).basket.itemCount).toBe(10);
    server.signal("SIGHUP");
    await untilRestarted(server, 1);
    expect((await call("getBasket")).basket.itemCount).toBe(10);
    const after = await pidsOf(server);
    expect([after.size, before.filter((pid) => after.has(pid))]).toEqual([2, []]);
  });

  test.each([
    ["has a syntax error", "export default {{", "Unexpected token"],
    ["has an error", "export default { shops: [] };", "shops: found a list of 0"],
    ["kills the process", 'process.kill(process.pid, "SIGKILL");', "has failed"],
    ["ends the process", "process.exit(0);", "has failed"],
  ])("keeps the old workers if the new config %s", async (_, config, message) => {
    const { server, folder } = await start();
    const before = findWorkers(server);
    await writeFile(join(folder, file), config);
    for (const count of [1, 2]) {
      server.signal("SIGHUP");
      await until(() => server.stderr.split("The restart has failed: ").length > count);
    }
    expect(server.stderr).toContain(message);
    expect(await pidsOf(server)).toEqual(new Set(before));
    await writeFile(join(folder, file), workersConfig(redis().url));
    server.signal("SIGHUP");
    await untilRestarted(server, 1);
    expect(await pidsOf(server)).toEqual(new Set(findWorkers(server).slice(2)));
  });

  test("reads the config again after a signal during a restart", async () => {
    const { server, folder } = await start();
    server.signal("SIGHUP");
    await until(() => server.stdout.includes("The workers restart"));
    await writeFile(join(folder, file), workersConfig(redis().url, 'basePath: "/changed",'));
    for (let count = 0; count < 5; count++) server.signal("SIGHUP");
    await untilRestarted(server, 2);
    expect((await server.call("pid"))[0]).toBe(404);
    // Signals that arrive together cause one restart.
    expect(findWorkers(server)).toHaveLength(6);
  });

  test("restarts after a signal that arrives while the first worker starts", async () => {
    const pause = `import { existsSync as exists, writeFileSync as write } from "node:fs";
if (!exists("primary")) {
  write("primary", String(process.ppid));
  while (!exists("go")) await new Promise((resolve) => setTimeout(resolve, 5));
}
`;
    const folder = await createFolder({ [file]: pause + workersConfig(redis().url) });
    const started = startCli(["start", "--workers", "2"], { folder });
    await until(() => existsSync(join(folder, "primary")));
    process.kill(Number(await readFile(join(folder, "primary"), "utf8")), "SIGHUP");
    await writeFile(join(folder, "go"), "");
    const server = await started;
    await untilRestarted(server, 1);
    expect([findWorkers(server).length, server.stderr]).toEqual([4, ""]);
  });

  test("starts a worker for each that was killed, after pauses that grow", async () => {
    const { server } = await start();
    for (let count = 3; count <= 5; count++) {
      process.kill(findWorkers(server).at(count === 3 ? 0 : -1) as number, "SIGKILL");
      await untilReady(server, count);
      expect(await pidsOf(server)).toContain(findWorkers(server).at(-1));
    }
    expect(server.stdout.match(/pauseSeconds=\d+/g)).toEqual(
      [0, 1, 2].map((seconds) => `pauseSeconds=${seconds}`),
    );
    expect(server.stderr).toMatch(/ error A worker has failed pid=\d+ code=null signal=SIGKILL\n/);
  });

  test("responds to the calls of a worker with an uncaught error, and starts another immediately", async () => {
    const { server, folder } = await start("server: { drainTimeout: 600 },");
    const socket = await openSocket(server.origin);
    socket.send(toCall("wait") + toCall("fail"));
    await until(() => existsSync(join(folder, "running")));
    await untilReady(server, 3);
    await writeFile(join(folder, "go"), "");
    await socket.receive('"waited"');
    expect(server.stderr).toContain("An error was thrown and nothing caught it");
    expect(server.stderr).toContain("A worker has failed");
    expect((await pidsOf(server)).size).toBe(2);
  });

  test("responds to requests and stays ready on connections of a replaced worker", async () => {
    const { server, folder } = await start("server: { drainDelay: 600, drainTimeout: 600 },");
    const sockets = [await openSocket(server.origin), await openSocket(server.origin)];
    for (const socket of sockets) socket.send(toCall("wait"));
    await until(() => existsSync(join(folder, "running")));
    server.signal("SIGHUP");
    await untilReady(server, 3);
    await writeFile(join(folder, "go"), "");
    for (const socket of sockets) {
      await socket.receive('"waited"');
      await until(() => {
        if (!socket.isEnded) socket.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return socket.isEnded;
      });
      expect(new Set(socket.received.match(/^HTTP\/1.1 \d+/gm))).toEqual(new Set(["HTTP/1.1 200"]));
      expect(socket.received.match(/^Connection: .*/gm)?.at(-1)).toBe("Connection: close");
    }
    await untilRestarted(server, 1);
  });

  test("drains at SIGTERM, and exits with code 0", async () => {
    const { server, folder } = await start("server: { drainTimeout: 600 },");
    const socket = await openSocket(server.origin);
    socket.send(toCall("wait"));
    await until(() => existsSync(join(folder, "running")));
    // A terminal and a service manager signal the workers, too.
    for (const pid of findWorkers(server)) {
      for (const signal of ["SIGHUP", "SIGINT", "SIGTERM", "SIGTERM"]) process.kill(pid, signal);
    }
    server.signal("SIGTERM");
    await until(async () => !(await isListening(server.origin)));
    await writeFile(join(folder, "go"), "");
    await socket.receive('"waited"');
    expect(await server.exited).toBe(0);
    expect(server.stderr).toBe("");
  });

  test("ends immediately at a second signal", async () => {
    const { server, folder } = await start("server: { drainTimeout: 600 },");
    const socket = await openSocket(server.origin);
    socket.send(toCall("wait"));
    await until(() => existsSync(join(folder, "running")));
    server.signal("SIGTERM");
    await until(() => server.stdout.includes("The server shuts down"));
    server.signal("SIGTERM");
    expect(await server.exited).toBe(1);
    await until(() => findWorkers(server).every((pid) => !isRunning(pid)));
  });

  test("ends all workers if the primary is killed", async () => {
    const { server } = await start();
    server.signal("SIGKILL");
    await server.exited;
    await until(() => findWorkers(server).every((pid) => !isRunning(pid)));
    expect(await isListening(server.origin)).toBe(false);
  });

  test("prints one message for a port in use, and exits with code 1", async () => {
    const { server, folder } = await start();
    const args = ["start", "--workers", "2", "--port", new URL(server.origin).port];
    const { code, stdout, stderr } = await runCli(args, { folder });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^storefront: Port \d+ is already in use\. .*\n$/);
  });

  test("closes connections above server.maxConnections of each worker", async () => {
    const { server } = await start("server: { maxConnections: 1 },");
    const sockets = [];
    for (let count = 0; count < 3; count++) sockets.push(await openSocket(server.origin));
    const [first, second, third] = sockets;
    await until(() => third?.isEnded === true);
    for (const socket of [first, second]) {
      socket?.send(toCall("pid"));
      await socket?.receive("HTTP/1.1 200");
    }
    expect(server.stderr).toContain("server.maxConnections is reached maxConnections=1 dropped=1");
  });
});

describe("start --workers prints one message, and exits with code 1", () => {
  const secret = `session: { secret: ${JSON.stringify(testSecret)} }`;
  const redisStorage = 'storage: { session: { driver: "redis" } }';
  const fileStorage = '{ session: { driver: "fs", base: "./data" }, singleProcess: true }';

  test.each<[about: string, args: string, keys: string, message: string]>([
    [
      "no number",
      "start --workers many",
      "",
      '--workers: found "many", expected a number from 1 to 128',
    ],
    ["no worker", "start --workers 0", "", '--workers: found "0", expected a number from 1 to 128'],
    ["dev", "dev --workers 2", "", "--workers: expected the command start, found dev"],
    [
      "the memory",
      "start --workers 2",
      secret,
      'storage.session: found "memory", expected { driver: "redis"',
    ],
    [
      "files",
      "start --workers 1",
      `${secret}, storage: ${fileStorage}`,
      'storage.session: found "fs", expected',
    ],
    [
      "no secret",
      "start --workers 2",
      redisStorage,
      "session.secret: found nothing, expected a secret",
    ],
    ["no such file", "start --workers 2 --config a.ts", "", "No file "],
  ])("for %s", async (_, args, keys, message) => {
    const config = keys === "" ? plain : plain.replace("{ shops", `{ ${keys}, shops`);
    const folder = await createFolder({ "storefront.config.ts": config });
    const { code, stdout, stderr } = await runCli([...args.split(" "), "--port", "0"], { folder });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`storefront: `);
    expect(stderr).toContain(message);
    expect(stderr.match(/storefront: /g)).toHaveLength(1);
  });
});

// --- Internal helpers ---

/** Calls a method on a new connection. */
async function callAnew(
  { origin }: WorkersServer,
  method: string,
  {
    payload,
    cookie = "",
  }: { readonly payload?: object | undefined; readonly cookie?: string } = {},
) {
  const headers = { "content-type": "application/json", "x-shop-id": "1", cookie };
  const options = { method: "POST", headers, agent: false } as const;
  const call = request(`${origin}/api/rpc/${method}`, options).end(JSON.stringify({ payload }));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  return { headers: response.headers, text: await readText(response) };
}

/** The processes that answer 20 calls, each on a new connection. */
async function pidsOf(server: WorkersServer): Promise<ReadonlySet<number>> {
  const pids = new Set<number>();
  for (let count = 0; count < 20; count++) {
    pids.add(Number((await callAnew(server, "pid")).text));
  }
  return pids;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
