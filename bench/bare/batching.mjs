/** Whether the server batches calls as ours does: see server/cli/http-server.ts. */
export const isBatched = process.env.BENCH_BATCHING === "on";

let ending;

/** Waits until the event loop has read everything that arrived in this tick. */
export function endOfTick() {
  ending ??= new Promise((resolve) => {
    setImmediate(() => {
      ending = undefined;
      resolve();
    });
  });
  return ending;
}
