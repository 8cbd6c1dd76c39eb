import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createLineWriter } from "../../server/console-log.ts";
import { createSafeLog, type Logger } from "../../shared/log.ts";
import { openDocumentStore } from "../../storage/store.ts";
import { createVendureSessionCache } from "../../adapters/vendure-session-cache.ts";
import { createFaultyDriver } from "../_faulty-driver.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { describeStorages } from "../_setup.ts";

const thrown = () => {
  throw new Error("The log is full");
};
const rejected = async () => thrown();

/** Loggers that fail each time, by how. */
const failing: Readonly<Record<string, Logger>> = {
  "that throws": { debug: thrown, info: thrown, warn: thrown, error: thrown },
  "that rejects": { debug: rejected, info: rejected, warn: rejected, error: rejected },
};

describeStorages("a custom logger", ({ start }) => {
  test.each(Object.entries(failing))("%s changes no response", async (_, log) => {
    const { client, send } = await start({
      log,
      methods: {
        fail: defineRpcMethod({
          handler() {
            throw new Error("boom");
          },
        }),
        speak: defineRpcMethod({
          handler(_input, context) {
            context.log.info("Spoken");
            return "spoken";
          },
        }),
      },
      hooks: {
        "storefront:rpc:after": ({ method }) => {
          if (method === "speak") throw new Error("boom");
        },
      },
      cors: { origin: thrown },
      admin: { token: "0a9c8e7d6f5b4a39281706f5e4d3c2b1" },
    });
    const failed = await client().call("fail");
    expect(failed).toMatchObject({ status: 500, body: { code: "internal_error" } });
    expect(await client().call("speak")).toMatchObject({ status: 200, body: "spoken" });
    const foreign = await send("/de/api/rpc/getUser", {
      method: "POST",
      headers: { origin: "https://else.example" },
    });
    expect(foreign.status).toBe(403);
    const admin = await send("/api/admin/endAllSessions", { method: "POST" });
    expect(admin.status).toBe(401);
  });
});

describe("a safe logger", () => {
  test("logs the number of dropped lines when the logger works again", () => {
    const { log, lines } = createTestLog();
    let isFull = true;
    const write: Logger["info"] = (message, details) => {
      if (isFull) thrown();
      log.info(message, details);
    };
    const safe = createSafeLog({ ...log, info: write, error: write });
    safe.info("one");
    safe.error("two");
    expect(lines).toEqual([]);
    isFull = false;
    safe.info("three");
    safe.info("four");
    expect(lines.map(({ message, details }) => [message, details?.["count"]])).toEqual([
      ["three", undefined],
      ["Log lines were dropped, because the log failed", 2],
      ["four", undefined],
    ]);
  });

  test("wraps a logger only once", () => {
    const safe = createSafeLog(createTestLog().log);
    expect(createSafeLog(safe)).toBe(safe);
  });
});

describe("an adapter with a logger that throws", () => {
  const log = failing["that throws"] as Logger;

  test("reads a session that is not cached as absent", async () => {
    const faulty = createFaultyDriver();
    faulty.before = thrown;
    const cache = createVendureSessionCache({ storage: faulty.driver, log });
    expect(await cache.get("a-token")).toBeUndefined();
    await cache.destroy();
  });

  test("doesn't fail on an unreadable document", async () => {
    const driver = createMemoryDriver();
    await driver.setItem?.("counter:visits", "{", {});
    const store = openDocumentStore(driver, { log });
    const counters = store.collection("counter", (value): value is number => value === 1);
    expect((await counters.get("visits")).value).toBeUndefined();
    await store.close();
  });
});

describe("a stream of log lines", () => {
  test.each(["error", "throw"] as const)("drops and counts lines on failure by %s", (fault) => {
    const { target, written, write } = createTarget();
    write("one");
    target.fault = fault;
    for (const line of ["two", "three"]) write(line);
    target.fault = undefined;
    for (const line of ["four", "five"]) write(line);
    expect(written).toEqual(["one", "four", "2 dropped", "five"]);
  });

  test("drops and counts lines while a megabyte waits for the reader", () => {
    const { target, written, write } = createTarget();
    target.writableLength = 1_000_001;
    write("one");
    target.writableLength = 0;
    write("two");
    expect(written).toEqual(["two", "1 dropped"]);
  });

  test("counts a dropped summary line as the lines in its count", () => {
    const { target, written, write } = createTarget();
    target.fault = "error";
    for (const line of ["one", "two"]) write(line);
    target.fault = undefined;
    const { write: writeText } = target;
    target.write = (text, done) => {
      if (text.includes("dropped")) target.fault = "error";
      writeText(text, done);
    };
    write("three");
    target.write = writeText;
    target.fault = undefined;
    write("four");
    expect(written).toEqual(["three", "four", "2 dropped"]);
  });
});

/** A stream whose writes fail as a test says. */
function createTarget() {
  const written: string[] = [];
  const target = {
    fault: undefined as "error" | "throw" | undefined,
    writableLength: 0,
    write(text, done) {
      if (target.fault === "throw") thrown();
      if (target.fault === undefined) written.push(text);
      done(target.fault && new Error("write EPIPE"));
    },
  } satisfies Parameters<typeof createLineWriter>[0] & { fault: unknown };
  return { target, written, write: createLineWriter(target, (count) => `${count} dropped`) };
}
