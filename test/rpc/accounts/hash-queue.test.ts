import { expect, test } from "vitest";
import {
  queueHash,
  maxRunning,
  maxWaiting,
  maxWaitingPerNetwork,
} from "../../../rpc/accounts/hash-queue.ts";
import { Barrier } from "../../_faulty-driver.ts";

const places = maxRunning;

test("the queue of hashes runs few hashes at a time, and the others in order", async () => {
  const barrier = new Barrier();
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const hashes = Array.from({ length: 20 }, (_, hash) =>
    queueHash(async () => {
      order.push(hash);
      most = Math.max(most, ++running);
      await barrier.pass();
      running--;
      return hash;
    }),
  );
  await barrier.reached;
  expect(order).toHaveLength(places);
  barrier.open();
  expect(await Promise.all(hashes)).toEqual(Array.from({ length: 20 }, (_, hash) => hash));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(most).toBe(places);
});

test("the queue of hashes frees the slot of a hash that fails", async () => {
  for (let hash = 0; hash < 2 * places; hash++) {
    const failing = queueHash(() => Promise.reject(new Error("no memory")));
    await expect(failing).rejects.toThrow("no memory");
  }
  expect(await queueHash(async () => "done")).toBe("done");
});

test("the queue of hashes skips the hashes of clients that have disconnected", async () => {
  const barrier = new Barrier();
  const first = Array.from({ length: places }, () => queueHash(() => barrier.pass()));
  const controller = new AbortController();
  let wasRun = false;
  const second = queueHash(async () => (wasRun = true), {
    signal: controller.signal,
  });
  const third = queueHash(async () => "done", { signal: new AbortController().signal });
  controller.abort();
  barrier.open();
  await expect(second).rejects.toMatchObject({ code: "client_gone", status: 499 });
  expect(wasRun).toBe(false);
  expect(await third).toBe("done");
  await Promise.all(first);
});

test("the queue of hashes takes networks in rotation: one with many waiting hashes doesn't delay another", async () => {
  const barrier = new Barrier();
  const order: string[] = [];
  const run = (ip: string) => queueHash(async () => void order.push(ip), { ip });
  const running = Array.from({ length: places }, () => queueHash(() => barrier.pass()));
  const many = Array.from({ length: 20 }, () => run("192.0.2.1"));
  const others = ["192.0.2.2", "2001:db8::1", "2001:db8::2"].map(run);
  barrier.open();
  await Promise.all([...running, ...many, ...others]);
  const [first, second, third, fourth, fifth] = order;
  expect([first, second, third].toSorted()).toEqual(["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
  // One /64 is one network.
  expect([fourth, fifth]).toEqual(["192.0.2.1", "2001:db8::2"]);
});

test("the queue of hashes rejects a network with too many waiting hashes, and no other", async () => {
  const barrier = new Barrier();
  const running = Array.from({ length: places }, () => queueHash(() => barrier.pass()));
  const waiting = Array.from({ length: maxWaitingPerNetwork }, () => waitFor("192.0.2.1"));
  await expect(waitFor("192.0.2.1")).rejects.toMatchObject({
    code: "too_many_attempts",
    status: 429,
  });
  const other = waitFor("192.0.2.2");
  barrier.open();
  await Promise.all([...running, ...waiting]);
  expect(await other).toBe("done");
});

test("the queue of hashes rejects with 503 if the queue is full, after it has removed disconnected clients", async () => {
  const barrier = new Barrier();
  const running = Array.from({ length: places }, () => queueHash(() => barrier.pass()));
  const { signal, abort } = gaveUp();
  const gone = Array.from({ length: 2 }, () => queueHash(async () => "done", { signal }));
  const waiting = Array.from({ length: maxWaiting - 2 }, () => queueHash(async () => "done"));
  const refusal = { code: "too_busy", status: 503 };
  await expect(queueHash(async () => "done")).rejects.toMatchObject(refusal);
  abort();
  const late = Array.from({ length: 2 }, () => queueHash(async () => "done"));
  for (const left of gone) await expect(left).rejects.toMatchObject({ code: "client_gone" });
  await expect(queueHash(async () => "done")).rejects.toMatchObject(refusal);
  barrier.open();
  await Promise.all([...running, ...waiting]);
  expect(await Promise.all(late)).toEqual(["done", "done"]);
});

// --- Internal helpers ---

const waitFor = (ip: string) => queueHash(async () => "done", { ip });

function gaveUp(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
