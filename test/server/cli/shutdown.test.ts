import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFolder, root, shops, startCli, until, waiting } from "../../_cli.ts";
import { isListening, openSocket, toCall } from "../../_socket.ts";

const file = "storefront.config.ts";

/** Starts a server with the method `wait`, and with settings of the group `server`. */
async function start(settings: object) {
  const text = waiting.replace("export default {", `$& server: ${JSON.stringify(settings)},`);
  const folder = await createFolder({ [file]: text });
  const server = await startCli(["start"], { folder });
  return {
    server,
    /** Waits until the method runs. */
    untilRunning: () => until(() => existsSync(join(folder, "running"))),
    /** Lets it end. */
    go: () => writeFile(join(folder, "go"), ""),
    /** Sends SIGTERM, and waits until the port is closed. */
    async terminate() {
      server.signal("SIGTERM");
      const isOpen = () => isListening(server.origin);
      await until(async () => !(await isOpen()));
    },
  };
}

describe("a shutdown", () => {
  test.each([
    ["that is unused", ""],
    ["that has half a head on it", "POST /api/rpc/getUser HTTP/1.1\r\nHost: x\r\n"],
    ["that has half a body on it", toCall("getUser", "{}").slice(0, -1)],
    ["that was kept alive", toCall("getUser")],
  ])("closes a connection %s after drainTimeout, and exits with code 0", async (_, text) => {
    const { server, terminate } = await start({ drainTimeout: 1 });
    const socket = await openSocket(server.origin);
    if (text !== "") socket.send(text);
    if (text === toCall("getUser")) await socket.receive("HTTP/1.1 200");
    const startedAt = performance.now();
    await terminate();
    expect(await server.exited).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(socket.isEnded).toBe(true);
    expect(server.stderr).not.toContain(" error ");
  });

  test("exits immediately without connections", async () => {
    const { server, terminate } = await start({ drainTimeout: 600 });
    await terminate();
    expect(await server.exited).toBe(0);
  });

  test("responds to a request on an open connection after the port closes", async () => {
    const { server, terminate } = await start({ drainTimeout: 600 });
    const [unused, kept, half] = [
      await openSocket(server.origin),
      await openSocket(server.origin),
      await openSocket(server.origin),
    ];
    kept.send(toCall("getUser"));
    await kept.receive("HTTP/1.1 200");
    expect(kept.received).toContain("Connection: keep-alive");
    half.send(toCall("getUser").slice(0, 40));
    await terminate();
    unused.send(toCall("getUser"));
    kept.send(toCall("getUser"));
    half.send(toCall("getUser").slice(40));
    await unused.receive("HTTP/1.1 200");
    await kept.receive("HTTP/1.1 200", 2);
    await half.receive("HTTP/1.1 200");
    for (const socket of [unused, kept, half]) {
      await until(() => socket.isEnded);
      expect(socket.received).toContain("Connection: close");
    }
    // Nothing is left to wait for.
    expect(await server.exited).toBe(0);
  });

  test("responds to calls in progress with Connection: close", async () => {
    const { server, terminate, untilRunning, go } = await start({ drainTimeout: 600 });
    const socket = await openSocket(server.origin);
    socket.send(toCall("wait"));
    await untilRunning();
    await terminate();
    await go();
    await socket.receive('"waited"');
    expect(socket.received).toContain("Connection: close");
    expect(await server.exited).toBe(0);
  });

  test("responds to pipelined requests from before the signal", async () => {
    const { server, terminate, untilRunning, go } = await start({ drainTimeout: 600 });
    const socket = await openSocket(server.origin);
    socket.send(toCall("getUser") + toCall("wait") + toCall("wait"));
    await untilRunning();
    await terminate();
    await go();
    await socket.receive('"waited"', 2);
    expect(socket.received.match(/^Connection: .*/gm)).toEqual([
      "Connection: keep-alive",
      "Connection: keep-alive",
      "Connection: close",
    ]);
    expect(await server.exited).toBe(0);
  });

  test("aborts a call that runs longer than drainTimeout", async () => {
    const { server, terminate, untilRunning } = await start({ drainTimeout: 1 });
    const socket = await openSocket(server.origin);
    socket.send(toCall("wait"));
    await untilRunning();
    await terminate();
    expect(await server.exited).toBe(0);
    expect([socket.isEnded, socket.received]).toEqual([true, ""]);
    expect(server.stdout).toContain(" info The server shuts down");
    expect(server.stderr).toMatch(/ warn Calls were interrupted, .* calls=1\n$/);
  });

  test("fails /readyz for drainDelay seconds, and responds to calls until then", async () => {
    const { server } = await start({ drainDelay: 2, drainTimeout: 600 });
    expect((await fetch(`${server.origin}/readyz`)).status).toBe(200);
    server.signal("SIGTERM");
    const readyz = () => fetch(`${server.origin}/readyz`);
    await until(async () => (await readyz()).status === 503);
    const response = await readyz();
    expect([response.status, response.headers.get("connection")]).toEqual([503, "close"]);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ status: 503, code: "draining" });
    expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
    expect((await server.call("getUser"))[0]).toBe(200);
    expect(await server.exited).toBe(0);
    // A planned shutdown isn't an error.
    expect(server.stderr).toBe("");
  });
});

test.each([
  ["is never closed", "new Promise(() => setInterval(() => {}, 1000))"],
  ["fails to close", 'Promise.reject(new Error("Connection terminated"))'],
])("exits with code 0 although a storage %s", async (_, closing) => {
  const text = `import createMemoryDriver from "unstorage/drivers/memory";
const driver = { ...createMemoryDriver(), dispose: () => ${closing} };
export default { shops: ${shops}, storage: { session: driver } };`;
  const folder = await createFolder({ "storefront.config.mjs": text });
  await symlink(join(root, "node_modules/unstorage"), join(folder, "node_modules/unstorage"));
  const server = await startCli(["start"], { folder });
  server.signal("SIGTERM");
  expect(await server.exited).toBe(0);
});

test("dev closes idle connections immediately when it stops", async () => {
  const patient = waiting.replace("export default {", "$& server: { drainTimeout: 600 },");
  const folder = await createFolder({ [file]: patient });
  const server = await startCli(["dev"], { folder });
  const [unused, kept] = [await openSocket(server.origin), await openSocket(server.origin)];
  kept.send(toCall("getUser"));
  await kept.receive("HTTP/1.1 200");
  server.signal("SIGINT");
  // Otherwise, it would wait for `drainTimeout`.
  expect(await server.exited).toBe(0);
  expect([unused.isEnded, kept.isEnded]).toEqual([true, true]);
});

// Node aborts at its exit if it can't reset the terminal.
test.each(["dev", "start"])("%s exits with code 0 when its terminal closes", async (command) => {
  const server = `"${process.execPath}" "${join(root, "dist/server/cli/cli.js")}" ${command}`;
  const folder = await createFolder({
    [file]: waiting,
    // The inner shell survives the terminal, so it can write the exit code.
    "run.sh": `(trap "" HUP; ${server} --port 0 > output 2>&1; echo "code $?" >> output); :`,
  });
  const terminal = spawn("script", ["-qfc", "sh run.sh", "/dev/null"], { cwd: folder });
  onTestFinished(() => void terminal.kill("SIGKILL"));
  const output = () => readFileSync(join(folder, "output"), "utf8");
  await until(() => existsSync(join(folder, "output")) && output().includes("listens on"));
  terminal.kill("SIGKILL");
  await until(() => output().includes("code "));
  expect(output()).toMatch(/ info The server shuts down; .*\ncode 0\n$/);
});
