import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFaultyDriver } from "../../_faulty-driver.ts";
import { openCache, ticks } from "./_caches.ts";

/** A read of a key by a process, or a change of it that the process makes and invalidates. */
interface Step {
  readonly kind: "read" | "change";
  readonly process: number;
  readonly key: string;
  /** Macrotasks until the step begins. */
  readonly delay: number;
  /** Macrotasks of a load before and after the system reads its data. */
  readonly load: readonly [before: number, after: number];
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("read", "read", "read", "change"),
  process: fc.nat(1),
  key: fc.constantFrom("a", "b"),
  delay: fc.nat(25),
  load: fc.tuple(fc.nat(6), fc.nat(6)),
});

/** Runs steps at the same time. @returns the reads that got a value from before an earlier invalidation */
async function findStale(
  caches: readonly ReturnType<typeof openCache>[],
  steps: readonly Step[],
): Promise<unknown[]> {
  const versions = new Map([
    ["a", 0],
    ["b", 0],
  ]);
  /** The version that each read must have, because its invalidation has ended. */
  const least = new Map(versions);
  const stale: unknown[] = [];
  const nextOf = (key: string) => (versions.get(key) ?? 0) + 1;
  await Promise.all(
    steps.map(async ({ kind, process, key, delay, load: [before, after] }) => {
      const { cached, invalidate } = caches[process % caches.length] as (typeof caches)[number];
      await ticks(delay);
      if (kind === "change") {
        const version = nextOf(key);
        versions.set(key, version);
        await invalidate([key]);
        least.set(key, Math.max(version, least.get(key) ?? 0));
        return;
      }
      const expected = least.get(key) ?? 0;
      const found = await cached(key, 60, async ({ tag }) => {
        await ticks(before);
        const version = versions.get(key) ?? 0;
        await ticks(after);
        tag(key, "all");
        return version;
      });
      if (found < expected) stale.push({ process, key, delay, found, expected });
    }),
  );
  return stale;
}

describe("no read gets a value from before an invalidation that has ended", () => {
  test("in one process", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30 }), async (steps) => {
        expect(await findStale([openCache()], steps)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("in two processes on a slow storage", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 4, maxLength: 30 }),
        fc.array(fc.nat(4), { minLength: 1, maxLength: 10 }),
        async (steps, delays) => {
          const faulty = createFaultyDriver();
          let operation = 0;
          const delay = () => ticks(delays[operation++ % delays.length] ?? 0);
          Object.assign(faulty, { before: delay, after: delay });
          const caches = [openCache(faulty.driver), openCache(faulty.driver)];
          expect(await findStale(caches, steps)).toEqual([]);
          // Thousands of open stores would slow down all further runs.
          await Promise.all(caches.map((cache) => cache.close()));
        },
      ),
      { numRuns: 300 },
    );
  });
});
