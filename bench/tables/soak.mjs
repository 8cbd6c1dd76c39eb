import { logIn, send, toLoad } from "../calls.mjs";
import { runLoad } from "../load.mjs";
import { toCount, toTable } from "../markdown.mjs";
import { isSelected } from "../options.mjs";
import { startRedis } from "../redis.mjs";
import { connections } from "../rounds.mjs";
import { startServer } from "../server.mjs";
import { oursWith } from "../targets.mjs";

export const title = "Soak";

/** Ten minutes of full load: reads and writes alternate, and the heap is measured after each pair. */
export async function measure(options) {
  const rows = [];
  for (const storage of ["memory", "redis"]) {
    const row = `soak/${storage}`;
    if (isSelected(row, options)) rows.push(await measureStorage(storage, row));
  }
  return rows;
}

export function toMarkdown(rows) {
  const lines = rows.map(({ row, requests, errors, heaps }) => [
    `\`${row}\``,
    toCount(requests),
    String(errors),
    heaps.map((heap) => (heap / 1e6).toFixed(1)).join(", "),
  ]);
  return toTable([["row", "requests", "errors", "MB of heap after each minute"], ...lines]);
}

// --- Internal helpers ---

const minutes = 10;

async function measureStorage(storage, row) {
  const redis = storage === "redis" ? await startRedis() : undefined;
  const env = { BENCH_REDIS_URL: redis?.url ?? "" };
  const server = await startServer(["--expose-gc", ...oursWith("scale.config.mjs")], { env });
  try {
    const visitors = await logIn(server.origin, 640);
    const heaps = [];
    let requests = 0;
    let errors = 0;
    for (let turn = 0; turn < minutes * 2; turn++) {
      const load = toLoad(turn % 2 === 0 ? "read" : "write", {}, visitors);
      const result = await runLoad(server.origin, load, { seconds: 30, connections });
      requests += result.requests;
      errors += result.errors;
      if (turn % 2 === 1) {
        heaps.push(await (await send(server.origin, "/api/rpc/readHeap", "{}")).json());
      }
    }
    return { row, requests, errors, heaps };
  } finally {
    await server.stop();
    await redis?.stop();
  }
}
