import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { hashInTurn } from "../rpc/hash-queue.ts";
import { Gate } from "./_faulty-driver.ts";

const places = Math.min(3, Math.max(1, availableParallelism() - 1));

test("few hashes run at a time, and the others take their turns", async () => {
  const gate = new Gate();
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const hashes = Array.from({ length: 20 }, (_, hash) =>
    hashInTurn(async () => {
      order.push(hash);
      most = Math.max(most, ++running);
      await gate.pass();
      running--;
      return hash;
    }),
  );
  await gate.reached;
  expect(order).toHaveLength(places);
  gate.open();
  expect(await Promise.all(hashes)).toEqual(Array.from({ length: 20 }, (_, hash) => hash));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(most).toBe(places);
});

test("a hash that fails gives its place back", async () => {
  for (let hash = 0; hash < 2 * places; hash++) {
    const failing = hashInTurn(() => Promise.reject(new Error("no memory")));
    await expect(failing).rejects.toThrow("no memory");
  }
  expect(await hashInTurn(async () => "done")).toBe("done");
});

test("whoever has gone away by then is left out", async () => {
  const gate = new Gate();
  const first = Array.from({ length: places }, () => hashInTurn(() => gate.pass()));
  const controller = new AbortController();
  let wasRun = false;
  const second = hashInTurn(async () => (wasRun = true), controller.signal);
  const third = hashInTurn(async () => "done", new AbortController().signal);
  controller.abort();
  gate.open();
  await expect(second).rejects.toMatchObject({ code: "client_gone", status: 499 });
  expect(wasRun).toBe(false);
  expect(await third).toBe("done");
  await Promise.all(first);
});
