import { setImmediate as immediate } from "node:timers/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock, type Timer } from "../../../storage/clock.ts";
import { LoopTimer } from "../../../storage/documents/loop-timer.ts";

function ignore(): void {}

function hold(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe("a timer of the event loop's own time", () => {
  let worker: Worker;
  let reply = ignore;
  const signal = new Int32Array(new SharedArrayBuffer(8));

  beforeAll(async () => {
    const code = `
      const { parentPort, workerData } = require("node:worker_threads");
      parentPort.postMessage("ready");
      for (let round = 0; ; round++) {
        Atomics.wait(workerData, 0, round);
        parentPort.postMessage(round);
        Atomics.store(workerData, 1, round + 1);
      }`;
    worker = new Worker(code, { eval: true, workerData: signal });
    await new Promise<void>((resolve) => {
      worker.on("message", () => {
        reply();
        resolve();
      });
    });
  });
  afterAll(() => worker.terminate());

  test("expires work after its limit, at most a tenth late", async () => {
    const waits: number[] = [];
    const spy = vi.spyOn(systemClock, "setTimeout").mockImplementation((run, milliseconds) => {
      waits.push(milliseconds);
      setImmediate(run);
      const pending: Timer = { unref: () => pending, cancel: ignore };
      return pending;
    });
    onTestFinished(() => spy.mockRestore());
    const timer = new LoopTimer(200);
    await new Promise<void>((resolve) => void timer.start(resolve));
    // The work began within the first tick.
    expect(waits).toEqual(Array.from({ length: 11 }, () => 20));
  });

  test("does not expire work that has ended", async () => {
    const timer = new LoopTimer(10);
    let expired = 0;
    const timed = timer.start(() => void expired++);
    timer.end(timed);
    await sleep(50);
    expect(expired).toBe(0);
  });

  test("counts a blocked event loop as one tick", async () => {
    const timer = new LoopTimer(100);
    let expired = 0;
    timer.start(() => void expired++);
    hold(300);
    await immediate();
    await sleep(15);
    expect(expired).toBe(0);
  });

  test("waits for another tick if the loop was blocked before it could read", async () => {
    let now = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 1000));
    onTestFinished(() => clock.mockRestore());
    const timer = new LoopTimer(10);
    let expired = 0;
    timer.start(() => void expired++);
    await sleep(50);
    expect(expired).toBe(0);
    clock.mockRestore();
    await vi.waitUntil(() => expired === 1, { timeout: 15_000 });
  });

  test("accepts a reply that arrived in the last tick", async () => {
    let replied = 0;
    for (let last = 2; last <= 40; last++) {
      const timer = new LoopTimer(50);
      let outcome: "replied" | "expired" | undefined;
      const timed = timer.start(() => (outcome ??= "expired"));
      reply = () => {
        timer.end(timed);
        outcome ??= "replied";
      };
      // Some two turns to a tick of 5 ms, or one on a slow machine, so that the end comes in one of these rounds or the next.
      for (let turn = 1; turn < last; turn++) {
        await immediate();
        hold(3);
      }
      await immediate();
      const wasOpen = outcome === undefined;
      Atomics.add(signal, 0, 1);
      Atomics.notify(signal, 0);
      hold(20);
      // The loop is held until the reply is there.
      while (Atomics.load(signal, 1) < Atomics.load(signal, 0));
      const isOpen = () => outcome === undefined;
      while (isOpen()) await immediate();
      if (wasOpen) expect([last, outcome]).toEqual([last, "replied"]);
      if (wasOpen) replied++;
    }
    expect(replied).toBeGreaterThan(5);
    expect(replied).toBeLessThan(39);
  });
});
