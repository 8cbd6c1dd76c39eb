import { existsSync, openSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFolder, plain, root, shops, startCli, until } from "../../_cli.ts";
import { findFreePort } from "../../_command.ts";

/** Methods that leave errors behind which nothing catches, one that waits, and one that logs a lot. */
const source = `import { existsSync, writeFileSync } from "node:fs";
import { defineRpcMethod } from "storefront-core";
function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
const method = (handler) => defineRpcMethod({ handler });
export default {
  shops: ${shops},
  server: { drainTimeout: 2 },
  hooks: {
    "storefront:rpc:after": ({ method }) => {
      if (method === "hooked") void Promise.reject(new Error("lost in a hook"));
    },
  },
  methods: {
    forget: method(() => { void Promise.reject(new Error("lost in a method")); return "fine"; }),
    forgetProxy: method(() => { void Promise.reject(revoked()); return "fine"; }),
    hooked: method(() => "fine"),
    later: method(() => { setTimeout(() => { throw new Error("lost in a timer"); }, 1); return "fine"; }),
    laterProxy: method(() => { setTimeout(() => { throw revoked(); }, 1); return "fine"; }),
    again: method(() => { setInterval(() => { throw new Error("lost again"); }, 5); return "fine"; }),
    speak: method((_, { log }) => { log.info("x".repeat(50_000)); return "fine"; }),
    shout: method((_, { log }) => { log.error("shouted"); return "fine"; }),
    wait: method(async () => {
      writeFileSync("running", "");
      while (!existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 5));
      return "waited";
    }),
  },
};`;

async function start(command = "start") {
  const folder = await createFolder({ "storefront.config.mjs": source });
  const server = await startCli([command], { folder });
  return {
    server,
    /** Begins a call that ends when `go` is called. */
    async wait() {
      const answer = server.call("wait");
      await until(() => existsSync(join(folder, "running")));
      return { answer, go: () => writeFile(join(folder, "go"), "") };
    },
  };
}

describe("an unhandled rejection", () => {
  test.each([
    ["of a method", "forget", "lost in a method"],
    ["of a hook", "hooked", "lost in a hook"],
    ["that is a revoked proxy", "forgetProxy", "A value was thrown that cannot be read"],
  ])("logs %s, and calls in progress continue", async (_, method, message) => {
    const { server, wait } = await start();
    const { answer, go } = await wait();
    expect(await server.call(method)).toEqual([200, "fine"]);
    await until(() => server.stderr.includes(message));
    expect(server.stderr).toMatch(/ error A promise was rejected and nothing handled it error=/);
    await go();
    expect(await answer).toEqual([200, "waited"]);
    expect(await server.call(method)).toEqual([200, "fine"]);
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
  });
});

describe("an uncaught error", () => {
  test.each([
    ["in a timer", "later", "lost in a timer"],
    ["that is a revoked proxy", "laterProxy", "A value was thrown that cannot be read"],
    ["in a timer, again and again", "again", "lost again"],
  ])("logs %s, finishes calls in progress, and exits with code 1", async (_, method, message) => {
    const { server, wait } = await start();
    const { answer, go } = await wait();
    expect(await server.call(method)).toEqual([200, "fine"]);
    await until(() => server.stderr.includes(message));
    expect(server.stderr).toContain(" error An error was thrown and nothing caught it");
    await go();
    expect(await answer).toEqual([200, "waited"]);
    expect(await server.exited).toBe(1);
  });

  test("ends dev too", async () => {
    const { server } = await start("dev");
    await server.call("later");
    expect(await server.exited).toBe(1);
    expect(server.stderr).toContain("lost in a timer");
  });

  test("exits with code 1 and one line if the config throws it", async () => {
    const text = `setTimeout(() => { throw new Error("too early"); });
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
      ${plain}`;
    const folder = await createFolder({ "storefront.config.mjs": text });
    const starting = startCli(["start"], { folder });
    await expect(starting).rejects.toThrow(/An error was thrown and nothing caught it.*too early/);
  });
});

/** Starts with a log that prints `told` for each error, and then runs the code. */
async function startWith(code: string) {
  const log = `log: { debug() {}, info() {}, warn() {}, error() { process.stdout.write("told\\n"); ${code} } },`;
  const text = source.replace("export default {", `$& ${log}`);
  const folder = await createFolder({ "storefront.config.mjs": text });
  return startCli(["start"], { folder });
}

describe("a log that causes errors itself", () => {
  test("doesn't cause an endless loop: rejections", async () => {
    const server = await startWith("void Promise.reject(new Error());");
    expect(await server.call("forget")).toEqual([200, "fine"]);
    expect(await server.call("getUser")).toEqual([200, {}]);
    expect(server.stdout.match(/told/g)).toHaveLength(20);
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
  });

  test("doesn't cause an endless loop: exceptions", async () => {
    const server = await startWith("process.nextTick(() => { throw new Error(); });");
    expect(await server.call("later")).toEqual([200, "fine"]);
    expect(await server.exited).toBe(1);
  });
});

describe("a broken output", () => {
  test("doesn't end the server if the reader has disconnected (EPIPE)", async () => {
    const { server } = await start();
    for (const stream of server.streams) stream.destroy();
    for (let count = 0; count < 3; count++) {
      expect(await server.call("speak")).toEqual([200, "fine"]);
      expect(await server.call("shout")).toEqual([200, "fine"]);
      expect(await server.call("forget")).toEqual([200, "fine"]);
    }
    server.signal("SIGTERM");
    expect(await server.exited).toBe(0);
  });

  test("doesn't end the server if the disk is full", async () => {
    const folder = await createFolder({ "storefront.config.mjs": source });
    const [port, full] = [await findFreePort(), openSync("/dev/full", "w")];
    const args = [join(root, "dist/server/cli/cli.js"), "start", "--port", String(port)];
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, NODE_ENV: "" },
      stdio: ["ignore", full, full],
    });
    const exited = once(child, "exit");
    onTestFinished(() => void child.kill("SIGKILL"));
    const call = async (method: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/rpc/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-shop-id": "1" },
        body: "{}",
      });
      return response.status;
    };
    await until(() =>
      call("getUser").then(
        () => true,
        () => false,
      ),
    );
    expect([await call("speak"), await call("shout"), await call("forget")]).toEqual([
      200, 200, 200,
    ]);
    child.kill("SIGTERM");
    expect((await exited)[0]).toBe(0);
  });

  test("reports the number of lost lines when its reader continues", async () => {
    const { server } = await start();
    const [stdout] = server.streams;
    stdout.pause();
    for (let count = 0; count < 60; count++) {
      expect(await server.call("speak")).toEqual([200, "fine"]);
    }
    stdout.resume();
    await until(async () => {
      await server.call("speak");
      return server.stdout.includes("Log lines were dropped");
    });
    const [, count] = /could not be written count=(\d+)/.exec(server.stdout) ?? [];
    expect(Number(count)).toBeGreaterThan(10);
    expect(Number(count)).toBeLessThan(60);
  });
});

test("the library installs no handlers on the process", async () => {
  const names = ["uncaughtException", "unhandledRejection", "SIGTERM", "SIGINT", "exit"];
  const count = "names.map((name) => process.listenerCount(name)).join()";
  const script = `const names = ${JSON.stringify(names)};
    const errors = () => [process.stdout, process.stderr].map((s) => s.listenerCount("error")).join();
    const before = ${count} + errors();
    const { createStorefront } = await import("storefront-core");
    const app = createStorefront({ shops: ${shops} });
    console.log(before === ${count} + errors());
    await app.close();`;
  const folder = await createFolder({ "a.mjs": script });
  const child = spawn(process.execPath, ["a.mjs"], { cwd: folder });
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  await once(child, "close");
  expect(output).toBe("true\n");
});
