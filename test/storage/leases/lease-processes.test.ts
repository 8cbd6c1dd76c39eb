import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { assertBuilt } from "../../_process.ts";
import { describeWithRedis, startRedis } from "../../_redis.ts";

describeWithRedis("leases of real processes on Redis", () => {
  beforeAll(assertBuilt);

  test("gives the lease of a killed holder to a waiter, with its state", async () => {
    const { holder, waiter } = await startTwo({ seconds: 2 });
    expect(await holder.run("begin")).toBe("got 1 -");
    expect(await holder.run("save intent")).toBe("proved");
    holder.signal("SIGKILL");
    const start = performance.now();
    expect(await waiter.run("begin")).toBe("got 2 intent");
    expect(performance.now() - start).toBeGreaterThan(1900);
  });

  test("rejects the next write of a holder that was stopped for 15 seconds", async () => {
    const { holder, waiter } = await startTwo({ seconds: 10 });
    expect(await holder.run("begin")).toBe("got 1 -");
    expect(await holder.run("save intent")).toBe("proved");
    holder.signal("SIGSTOP");
    const stopped = sleep(15_000);
    expect(await waiter.run("begin")).toBe("got 2 intent");
    await stopped;
    holder.signal("SIGCONT");
    expect(await holder.run("prove")).toBe("LeaseLostError");
    expect(await holder.run("save late")).toBe("LeaseLostError");
    expect(await waiter.run("prove")).toBe("proved");
    expect(await waiter.run("end")).toBe("ended");
    expect(await holder.run("end")).toBe("ended");
    expect(await holder.run("begin")).toBe("got 3 intent");
  }, 60_000);

  test("keeps the lease of a holder that was stopped if nobody waited", async () => {
    const { holder } = await startTwo({ seconds: 1 });
    expect(await holder.run("begin")).toBe("got 1 -");
    holder.signal("SIGSTOP");
    await sleep(1500);
    holder.signal("SIGCONT");
    expect(await holder.run("prove")).toBe("proved");
  });

  test.each([
    ["an hour", 3_600_000],
    ["thirty days", 30 * 86_400_000],
  ])(
    "does not take over early when the clocks are %s apart",
    async (_, milliseconds) => {
      for (const ahead of [milliseconds, -milliseconds]) {
        const { holder, waiter } = await startTwo({ seconds: 3, ahead });
        expect(await holder.run("begin")).toBe("got 1 -");
        const waiting = waiter.run("begin");
        for (let proof = 0; proof < 5; proof++) {
          await sleep(800);
          expect(await holder.run("prove")).toBe("proved");
        }
        expect(await holder.run("end")).toBe("ended");
        // A document that has expired by the waiter's clock begins a new series of numbers.
        expect(await waiting).toMatch(/^got [12] -$/);
      }
    },
    60_000,
  );
});

// --- Internal helpers ---

const program = fileURLToPath(new URL("../../fixtures/lease-process.mjs", import.meta.url));

/** A holder, and a waiter whose clock is ahead by some milliseconds. */
async function startTwo({ seconds, ahead = 0 }: { seconds: number; ahead?: number }) {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const env = { REDIS_URL: redis.url, SECONDS: String(seconds) };
  const holder = await startChild(env);
  const waiter = await startChild({ ...env, CLOCK: String(ahead) });
  return { holder, waiter };
}

async function startChild(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    signal: (name: NodeJS.Signals) => child.kill(name),
    /** Sends a command, and waits for its result. */
    async run(command: string): Promise<string> {
      child.stdin.write(`${command}\n`);
      return (await lines.next()).value ?? "";
    },
  };
}
