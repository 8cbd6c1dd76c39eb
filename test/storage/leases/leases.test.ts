import { expect, onTestFinished, test, vi } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { LeaseLostError } from "../../../storage/leases/lease.ts";
import { Leases } from "../../../storage/leases/leases.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { until } from "../../_documents.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";

const isText = (value: unknown): value is string => typeof value === "string";

/** Leases of one process or, with several calls on one Redis, of several. */
function open(url?: string) {
  const { log } = createTestLog();
  const driver = url === undefined ? { driver: "memory" } : { driver: "redis", url };
  const store = openDocumentStore(openDriver(driver), { log });
  onTestFinished(() => store.close());
  return new Leases(store, "test-lease", isText);
}

test("runs the work of one key one at a time, with a rising number and the last state", async () => {
  const leases = open();
  let running = 0;
  const seen: string[] = [];
  const work = Array.from({ length: 10 }, () =>
    leases.withLease("key", { seconds: 10 }, async (lease) => {
      running++;
      expect(running).toBe(1);
      seen.push(`${lease.number}${lease.state ?? ""}`);
      await lease.prove();
      lease.leave(`${lease.state ?? ""}x`);
      running--;
    }),
  );
  await Promise.all(work);
  expect(seen.slice(0, 3)).toEqual(["1", "2x", "3xx"]);
  expect(await leases.read("key")).toBe("x".repeat(10));
});

test("keeps the saved state, frees the lease and fails when the work fails", async () => {
  const leases = open();
  const failing = leases.withLease("key", { seconds: 10 }, async (lease) => {
    await lease.save("saved");
    lease.leave("left");
    throw new Error("upstream");
  });
  await expect(failing).rejects.toThrow("upstream");
  const next = leases.withLease("key", { seconds: 10 }, async ({ state }) => state);
  expect(await next).toBe("saved");
});

test("stops waiting when the signal aborts, and does not run the work", async () => {
  const leases = open();
  const { promise: held, resolve: end } = deferred();
  const first = leases.withLease("key", { seconds: 10 }, () => held);
  const controller = new AbortController();
  const work = vi.fn(async () => {});
  const second = leases.withLease("key", { seconds: 10, signal: controller.signal }, work);
  controller.abort(new Error("gone"));
  await expect(second).rejects.toThrow("gone");
  end();
  await first;
  await leases.withLease("key", { seconds: 10 }, async () => {});
  expect(work).not.toHaveBeenCalled();
});

test("gives a signal that aborts before the time of the lease has passed", async () => {
  const leases = open();
  await leases.withLease("key", { seconds: 1 }, async (lease) => {
    const signal = await lease.prove();
    expect(signal.aborted).toBe(false);
    await until(async () => signal.aborted);
    expect(signal.reason).toMatchObject({ name: "TimeoutError" });
  });
});

describeWithRedis("leases of several processes on Redis", () => {
  const redis = useRedis();

  test("lets one holder of all processes work at a time", async () => {
    const processes = [open(redis().url), open(redis().url), open(redis().url)];
    let running = 0;
    const numbers: number[] = [];
    await Promise.all(
      Array.from({ length: 15 }, (_, at) =>
        processes[at % 3]?.withLease("one", { seconds: 10 }, async (lease) => {
          running++;
          expect(running).toBe(1);
          numbers.push(lease.number);
          await lease.prove();
          running--;
        }),
      ),
    );
    expect(numbers).toEqual(Array.from({ length: 15 }, (_, at) => at + 1));
  });

  test("rejects the writes of a holder after another process has taken over", async () => {
    const [first, second] = [open(redis().url), open(redis().url)];
    const { promise: taken, resolve: take } = deferred();
    const lost = first.withLease("late", { seconds: 1 }, async (lease) => {
      await lease.save("intent");
      take(
        second.withLease("late", { seconds: 1 }, async (later) => {
          expect([later.number, later.state]).toEqual([2, "intent"]);
          await expect(lease.prove()).rejects.toThrow(LeaseLostError);
          await expect(lease.save("late")).rejects.toThrow(LeaseLostError);
          later.leave("done");
        }),
      );
      await taken;
      lease.leave("late");
    });
    await expect(lost).rejects.toThrow(LeaseLostError);
    expect(await first.read("late")).toBe("done");
  });

  test("does not take over while the holder proves its lease", async () => {
    const [first, second] = [open(redis().url), open(redis().url)];
    const { promise: began, resolve: begin } = deferred();
    const order: string[] = [];
    const holding = first.withLease("busy", { seconds: 1 }, async (lease) => {
      begin();
      for (let proof = 0; proof < 8; proof++) {
        const signal = await lease.prove();
        // Half of the time of a lease.
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(signal.aborted).toBe(false);
      }
      order.push("first");
    });
    await began;
    await second.withLease("busy", { seconds: 1 }, async () => void order.push("second"));
    await holding;
    expect(order).toEqual(["first", "second"]);
  });
});

// --- Internal helpers ---

/** A promise, and the function that resolves it. */
function deferred() {
  const later: { resolve?: (value: void | Promise<void>) => void } = {};
  const promise = new Promise<void>((set) => (later.resolve = set));
  return { promise, resolve: (value?: Promise<void>) => later.resolve?.(value) };
}
