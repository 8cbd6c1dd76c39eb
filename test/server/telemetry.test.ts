import { expect, test } from "vitest";
import type { ObservedCall } from "../../server/observer.ts";
import { createSetup, describeStorages } from "../_setup.ts";
import { testMethods } from "../fixtures/methods.ts";
import { as, trustingAuth } from "../fixtures/trusting-auth.ts";

describeStorages("telemetry", ({ start, allowErrors }) => {
  test("receives each call once, also each call of a batch", async () => {
    const calls: ObservedCall[] = [];
    const telemetry = [{ name: "calls", call: (call: ObservedCall) => void calls.push(call) }];
    const { send, client } = await start({ methods: testMethods, telemetry });
    const one = client();
    await one.call("note", { color: "red" });
    await one.call("notes");
    await one.call("login", { email: 7 });
    const entries = [{ method: "notes" }, { method: "getUser" }];
    const headers = { "x-shop-id": "1001", "content-type": "application/json" };
    await one.request("/api/rpc", { method: "POST", headers, body: JSON.stringify(entries) });
    await send("/api/rpc/nothing", { method: "POST", headers });
    await send("/healthz", {});
    expect(calls.map(({ method, status, code }) => [method, status, code])).toEqual([
      ["note", 204, undefined],
      ["notes", 200, undefined],
      ["login", 422, "invalid_input"],
      ["notes", 200, undefined],
      ["getUser", 200, undefined],
      [undefined, 404, "unknown_method"],
    ]);
    const states = calls.map(({ session }) => session);
    expect(states).toEqual(["none", "active", "active", "active", "active", undefined]);
    for (const { seconds } of calls) expect(seconds).toBeGreaterThan(0);
  });

  test("ends each call that it begins, also if it receives nothing else", async () => {
    const tracer = {
      name: "tracer",
      statuses: [] as number[],
      begin() {
        return {
          run: <T>(call: () => T) => call(),
          end: ({ status }: ObservedCall) => void this.statuses.push(status),
        };
      },
    };
    const { client } = await start({ telemetry: [tracer] });
    await client().call("getUser");
    await client().call("nothing");
    expect(tracer.statuses).toEqual([200, 404]);
  });

  test("sees in which state the session of a call is", async () => {
    const states: unknown[] = [];
    const telemetry = [
      { name: "states", call: ({ session }: ObservedCall) => void states.push(session) },
    ];
    const { client } = await start({ auth: trustingAuth, telemetry });
    const user = client();
    await user.call("login", as(7));
    const twin = user.clone();
    await user.call("logout");
    await twin.call("getUser");
    await twin.call("clearBasket");
    expect(states).toEqual(["none", "active", "ended", "ended"]);
  });

  test("never fails a call, and logs only its first error", async () => {
    allowErrors();
    const telemetry = [
      {
        name: "broken",
        call() {
          throw new Error("no disk");
        },
      },
    ];
    const { client, lines } = await start({ telemetry });
    for (let call = 0; call < 3; call++) expect((await client().call("getUser")).status).toBe(200);
    const errors = lines.filter(({ level }) => level === "error");
    expect(errors).toHaveLength(1);
    expect(errors[0]?.details).toMatchObject({ telemetry: "broken", event: "call" });
  });
});

const { startControlled, allowErrors } = createSetup("memory", "request", () => ({
  driver: "memory",
}));

test("receives the outcome of each storage operation", async () => {
  allowErrors();
  const operations: unknown[][] = [];
  const telemetry = [
    { name: "storage", storage: (...operation: unknown[]) => void operations.push(operation) },
  ];
  const { client, storage } = await startControlled({ methods: testMethods, telemetry });
  const one = client();
  await one.call("note", { color: "red" });
  expect(operations.map(([driver, name, outcome]) => [driver, name, outcome])).toContainEqual([
    "memory",
    "swap",
    "ok",
  ]);
  operations.length = 0;
  storage.fail("any");
  expect((await one.call("note", { color: "blue" })).status).toBe(503);
  storage.heal();
  expect(operations.map(([, , outcome]) => outcome)).toContain("error");
  for (const [, , , seconds] of operations) expect(seconds).toBeGreaterThanOrEqual(0);
});
