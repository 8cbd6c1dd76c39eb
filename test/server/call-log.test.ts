import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { createStorefront } from "../../server/storefront.ts";
import { createBufferedWriter } from "../../server/buffered-writer.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { LogConfig } from "../../server/config/keys/log-key.ts";
import { createFolder, shops, startCli } from "../_cli.ts";
import { CookieClient } from "../_cookie-client.ts";
import { createTestLog, type LogLine } from "../../server/testing/test-log.ts";
import { describeStorages, forProduction, testConfig } from "../_setup.ts";
import { testMethods } from "../fixtures/methods.ts";
import { as, trustingAuth } from "../fixtures/trusting-auth.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

afterEach(() => {
  vi.restoreAllMocks();
});

function toCalls(lines: readonly LogLine[]): Record<string, unknown>[] {
  return lines.flatMap(({ message, details }) => (message === "Call" ? [details ?? {}] : []));
}

/** The settings of a test, with a logger that records lines. */
function logged(settings: Omit<LogConfig, "logger">) {
  const { log, lines } = createTestLog();
  return {
    lines,
    config: { auth: trustingAuth, methods: testMethods, log: { logger: log, ...settings } },
  };
}

describeStorages("log.calls", ({ start, allowErrors }) => {
  test("writes a line for each call, with an ID that the other lines of the call have", async () => {
    const { lines, config } = logged({ calls: "all" });
    const speak = defineRpcMethod({ handler: (_, { log }) => log.info("spoken") });
    const { client } = await start({ ...config, methods: { ...testMethods, speak } });
    const one = client();
    await one.call("login", as(7));
    await one.call("speak");
    await one.call("nothing");
    const calls = toCalls(lines);
    expect(calls).toMatchObject([
      { shopId: 1001, method: "login", status: 200, session: "none" },
      { shopId: 1001, method: "speak", status: 204, session: "active" },
      { shopId: 1001, status: 404, code: "unknown_method" },
    ]);
    const handles = (await one.call("listSessions")).body.sessions.map(
      ({ handle }: { readonly handle: string }) => handle,
    );
    expect([calls[0]?.["handle"], calls[1]?.["handle"]]).toEqual([...handles, ...handles]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
    const spoken = lines.find(({ message }) => message === "spoken");
    expect(spoken?.details?.["id"]).toBe(calls[1]?.["id"]);
  });

  test("adds the trace of a valid traceparent to the lines of a call", async () => {
    const { lines, config } = logged({ calls: "all" });
    const speak = defineRpcMethod({ handler: (_, { log }) => log.info("spoken") });
    const { client } = await start({ ...config, methods: { speak } });
    for (const traceparent of [
      `00-${traceId}-${spanId}-01`,
      `cc-${traceId}-${spanId}-00-later`,
      `00-${traceId}-${spanId}-01-later`,
      `ff-${traceId}-${spanId}-01`,
      `00-${traceId.toUpperCase()}-${spanId}-01`,
      `00-${"0".repeat(32)}-${spanId}-01`,
      `00-${traceId}-${"0".repeat(16)}-01`,
    ]) {
      await client().call("speak", undefined, { traceparent });
    }
    const toIds = (named: string) =>
      lines.flatMap(({ message, details }) =>
        message === named
          ? [`${String(details?.["trace_id"])} ${String(details?.["span_id"])}`]
          : [],
      );
    const [valid, none] = [`${traceId} ${spanId}`, "undefined undefined"];
    const ids = [valid, valid, none, none, none, none, none];
    expect([toIds("spoken"), toIds("Call")]).toEqual([ids, ids]);
  });

  test("counts the storage operations of each call, also of calls that run at the same time", async () => {
    const { lines, config } = logged({ calls: "all" });
    const { client } = await start(config);
    const clients = Array.from({ length: 20 }, () => client());
    await Promise.all(clients.map((one, at) => one.call("enter", { id: at + 1 })));
    await Promise.all(clients.map((one) => one.call("getUser")));
    lines.length = 0;
    await Promise.all(
      clients.flatMap((one, at) => [
        one.call("getUser"),
        client().call("getUser"),
        one.call("note", { at }),
      ]),
    );
    const counts = (name: string, session: string) =>
      toCalls(lines)
        .filter((call) => call["method"] === name && call["session"] === session)
        .map(({ storage }) => storage);
    expect(counts("getUser", "none")).toEqual(Array(20).fill(0));
    expect(counts("getUser", "active")).toHaveLength(20);
    for (const count of counts("note", "active")) {
      // A parallel call can have removed the session from the cache.
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThan(6);
    }
  });

  test.each([
    ["errors", { calls: "errors" }, ["refuse", undefined, "fail"]],
    ["slow", { calls: "slow", slowerThan: 3600 }, ["fail"]],
    ["slow", { calls: "slow", slowerThan: 1e-9 }, ["getUser", "refuse", undefined, "fail"]],
    ["nothing", {}, []],
  ] as const)("can be limited to %s", async (_, settings, methods) => {
    allowErrors();
    const { lines, config } = logged(settings);
    const fail = defineRpcMethod({
      handler() {
        throw new Error("broken");
      },
    });
    const { client } = await start({ ...config, methods: { ...testMethods, fail } });
    for (const name of ["getUser", "refuse", "nothing", "fail"]) await client().call(name);
    expect(toCalls(lines).map(({ method }) => method)).toEqual(methods);
  });
});

test("gives the error of a call that no method has run for the IDs of the call", async () => {
  const { lines, config } = logged({ calls: "all" });
  const refused = { ...config, ...forProduction, storage: { session: { driver: "memory" } } };
  const storefront = createStorefront(testConfig(refused), { production: true });
  onTestFinished(() => storefront.close());
  const headers = { traceparent: `00-${traceId}-${spanId}-01` };
  const client = new CookieClient(async (url, init) =>
    storefront.fetch(new Request(new URL(url, "https://shop.example"), init)),
  );
  expect((await client.call("getUser", undefined, headers)).status).toBe(503);
  const failed = lines.find(({ message }) => message === "A call failed");
  expect(failed?.details).toMatchObject({ id: toCalls(lines)[0]?.["id"], trace_id: traceId });
});

test("writes JSON to standard output in production", async () => {
  let out = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => (out += Buffer.from(text)) !== "");
  const config = { ...forProduction, auth: trustingAuth, log: { calls: "all" as const } };
  const app = createStorefront(testConfig(config), { production: true });
  const client = new CookieClient(async (path, init) =>
    app.fetch(new Request(`http://localhost${path}`, init)),
  );
  await client.call("login", as(7));
  await client.call("getUser", undefined, { traceparent: `00-${traceId}-${spanId}-01` });
  await client.call("nothing");
  await app.close();
  const lines = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { level: "info", message: "Call", shopId: 1001, method: "login", status: 200 },
    {
      trace_id: traceId,
      span_id: spanId,
      method: "getUser",
      status: 200,
      session: "active",
      storage: 1,
    },
    { status: 404, code: "unknown_method" },
  ]);
  for (const { time, seconds, id } of lines) {
    expect(new Date(time).toISOString()).toBe(time);
    expect(seconds).toBeGreaterThan(0);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-z]+$/);
  }
});

test("waits for more lines, and writes them all when it is closed", () => {
  const pieces: string[] = [];
  const write = (text: string | Uint8Array) => pieces.push(String(text));
  const writer = createBufferedWriter({ writableLength: 0, write });
  for (let line = 0; line < 1000; line++) writer.write(`${"x".repeat(99)}\n`);
  expect(pieces.length).toBeLessThan(10);
  writer.close();
  expect(pieces.join("")).toHaveLength(100_000);
});

test("counts each dropped line of a part", () => {
  const pieces: string[] = [];
  let isFull = true;
  const target = {
    writableLength: 0,
    write(text: string, written: (error?: Error) => void) {
      if (!isFull) pieces.push(text);
      written(isFull ? new Error("The disk is full") : undefined);
    },
  };
  const writer = createBufferedWriter(target);
  for (let line = 0; line < 1000; line++) writer.write(`${"x".repeat(99)}\n`);
  writer.close();
  isFull = false;
  writer.write("next\n");
  expect(pieces[0]).toBe("next\n");
  expect(JSON.parse(pieces[1] ?? "")).toMatchObject({ level: "warn", count: 1000 });
});

test("leaves no listener on the process when it is closed", () => {
  const before = process.listenerCount("exit");
  const target = { writableLength: 0, write: () => undefined };
  for (let round = 0; round < 3; round++) createBufferedWriter(target).close();
  expect(process.listenerCount("exit")).toBe(before);
});

test.each([
  ["a signal", "SIGTERM"],
  ["an error that nothing catches", "uncaught"],
])("loses no line of a call at the end of the server by %s", async (_, end) => {
  const config = `import { defineRpcMethod } from "storefront-core";
export default {
  shops: ${shops},
  session: { secret: "a-phrase-of-many-characters-4711-0815" },
  storage: { singleProcess: true },
  auth: { login() {}, register() {}, changePassword() {} },
  server: { drainDelay: 0, drainTimeout: 1 },
  log: { calls: "all" },
  methods: { fail: defineRpcMethod({ handler: () => void setTimeout(() => { throw new Error("uncaught"); }) }) },
};`;
  const folder = await createFolder({ "storefront.config.mjs": config });
  const server = await startCli(["start"], { folder, env: { NODE_ENV: "production" } });
  const post = (method: string) =>
    fetch(`${server.origin}/api/rpc/${method}`, {
      method: "POST",
      headers: { connection: "close" },
    });
  for (let call = 0; call < 5; call++) await post("getUser");
  if (end === "uncaught") await post("fail");
  else server.signal("SIGTERM");
  await server.exited;
  const lines = server.stdout.split("\n").filter((line) => line.includes('"message":"Call"'));
  expect(lines).toHaveLength(end === "uncaught" ? 6 : 5);
});
