import { systemClock } from "../../storage/clock.ts";
import { systemRandom } from "../../storage/random.ts";
import { expect, test } from "vitest";
import { BackgroundWork } from "../../rpc/background-work.ts";
import { createTestLog } from "../../server/testing/test-log.ts";

test("work in the background begins immediately when the storefront closes", async () => {
  const background = new BackgroundWork(10, systemClock, systemRandom);
  const { log, lines } = createTestLog();
  const steps: string[] = [];
  void background.start("A test", async () => void steps.push("done"), log);
  expect(steps).toEqual([]);
  await background.settle();
  expect(steps).toEqual(["done"]);
  await background.start("A test", async () => void steps.push("late"), log);
  expect(steps).toEqual(["done", "late"]);
  expect(lines).toEqual([]);
});

test("work in the background times out, and the log has a line about it", async () => {
  const background = new BackgroundWork(0.05, systemClock, systemRandom);
  const { log, lines } = createTestLog();
  let signal: AbortSignal | undefined;
  void background.start(
    "A test",
    (given) => {
      signal = given;
      return new Promise(() => {});
    },
    log,
  );
  await background.settle();
  expect(signal?.aborted).toBe(true);
  expect(lines).toEqual([expect.objectContaining({ level: "error", message: "A test failed" })]);
});
