import { EventEmitter, once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { loadStorefrontConfig } from "../../../server/config/load.ts";
import { waitForStep } from "../../../server/config/slow-step.ts";
import { createStorefront } from "../../../server/storefront.ts";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { defineStorageDriver } from "../../../storage/index.ts";
import { createFolder, shops } from "../../_cli.ts";
import { development, shop } from "../../fixtures/configs.ts";

test("waitForStep logs a warning every ten seconds until the step ends", async () => {
  const clock = createTestClock();
  const { log, lines } = createTestLog();
  const slow = new EventEmitter();
  const waiting = waitForStep("a database", log, once(slow, "end"), clock);
  await clock.advance(9.9);
  expect(lines).toEqual([]);
  await clock.advance(0.1);
  await clock.advance(10);
  const message = "Still waiting for a database";
  expect(lines).toMatchObject([
    { level: "warn", message, details: { seconds: 10 } },
    { level: "warn", message, details: { seconds: 20 } },
  ]);
  slow.emit("end");
  await waiting;
  await clock.advance(100);
  expect(lines).toHaveLength(2);
});

test("waitForStep ends with the error of its step", async () => {
  const clock = createTestClock();
  const { log, lines } = createTestLog();
  const failing = waitForStep("a database", log, Promise.reject(new Error("no database")), clock);
  await expect(failing).rejects.toThrow("no database");
  await clock.advance(100);
  expect(lines).toEqual([]);
});

test("loadStorefrontConfig logs that it waits for the config", async () => {
  const folder = await createFolder({
    "storefront.config.mjs": `export default () => new Promise((resolve) => {
      globalThis.finishConfig = () => resolve({ shops: ${shops} });
    });`,
  });
  const clock = createTestClock();
  const { log, lines } = createTestLog();
  const loading = loadStorefrontConfig(folder, undefined, { log, clock });
  const globals = globalThis as { finishConfig?: () => void };
  while (globals.finishConfig === undefined) await setImmediate();
  await clock.advance(10);
  const message =
    "Still waiting for a promise that the config, or a module that it imports, awaits (SF902)";
  expect(lines).toMatchObject([{ message }]);
  globals.finishConfig();
  expect((await loading).config).toMatchObject({ shops: [{ shopId: 1 }] });
});

test("ready logs that it waits for a storage", async () => {
  const slow = new EventEmitter();
  const session = defineStorageDriver({
    name: "slow",
    atomic: "process",
    createAdapter: () => ({
      capabilities: { atomic: "process", ttl: "stored" },
      read: async () => undefined,
      take: async () => undefined,
      swap: async () => ({ swapped: true }),
      setAside: async () => ({ swapped: true }),
      ping: async () => {},
      close: async () => {},
      ready: async () => void (await once(slow, "end")),
    }),
  });
  const clock = createTestClock();
  const { log, lines } = createTestLog();
  const storefront = createStorefront(
    { shops: [shop], storage: { session }, log },
    { ...development, clock },
  );
  const opening = storefront.ready();
  await clock.advance(10);
  expect(lines).toMatchObject([
    { level: "warn", message: 'Still waiting for the storage "slow" to open (SF702)' },
  ]);
  slow.emit("end");
  await opening;
  await storefront.close();
});
