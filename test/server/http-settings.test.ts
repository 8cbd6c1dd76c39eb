import { describe, expect, test } from "vitest";
import { createFolder, plain, startCli, until } from "../_cli.ts";
import { openSocket, toCall } from "../_socket.ts";

async function start(server?: object) {
  const settings = server === undefined ? "" : `server: ${JSON.stringify(server)},`;
  const text = plain.replace("{ shops", `{ ${settings} shops`);
  return startCli(["start"], { folder: await createFolder({ "storefront.config.ts": text }) });
}

describe("a connection", () => {
  test("stays open without a call for longer than a load balancer's 60 seconds", async () => {
    const { origin } = await start();
    const socket = await openSocket(origin);
    socket.send(toCall("getUser"));
    await socket.receive("HTTP/1.1 200");
    expect(socket.received).toContain("Keep-Alive: timeout=65");
    // Node's own default would have closed it by now.
    await new Promise((resolve) => setTimeout(resolve, 6500));
    expect(socket.isEnded).toBe(false);
    socket.send(toCall("getUser"));
    await socket.receive("HTTP/1.1 200", 2);
  });

  test("closes without a call after server.keepAliveTimeout", async () => {
    const { origin } = await start({ keepAliveTimeout: 1 });
    const socket = await openSocket(origin);
    socket.send(toCall("getUser"));
    await socket.receive("Keep-Alive: timeout=1");
    await until(() => socket.isEnded);
  });

  test.each([
    ["that is unused", "", { headersTimeout: 1 }],
    ["with half a head", "POST / HTTP/1.1\r\nHost: x\r\n", { headersTimeout: 1 }],
    ["with half a body", toCall("getUser").slice(0, -1), { headersTimeout: 1, requestTimeout: 1 }],
  ])("gets 408 after its timeout: %s", async (_, text, settings) => {
    const { origin } = await start(settings);
    const socket = await openSocket(origin);
    if (text !== "") socket.send(text);
    await until(() => socket.isEnded);
    expect(socket.received).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("closes above server.maxConnections, and the others continue", async () => {
    const server = await start({ maxConnections: 2 });
    const [first, second] = [await openSocket(server.origin), await openSocket(server.origin)];
    first.send(toCall("getUser"));
    await first.receive("HTTP/1.1 200");
    for (let count = 0; count < 3; count++) {
      const third = await openSocket(server.origin);
      await until(() => third.isEnded);
      expect(third.received).toBe("");
    }
    second.send(toCall("getUser"));
    await second.receive("HTTP/1.1 200");
    // One line for all of them, or a flood of connections would be one of log lines.
    const warnings = server.stderr.match(/ warn Connections were closed, .* maxConnections=2/g);
    expect(warnings).toHaveLength(1);
  });
});
