import { send } from "./calls.mjs";
import { startServer } from "./server.mjs";

/** Milliseconds from the start of a server's process to its first response. */
export async function measureBoot(args, options) {
  const startedAt = performance.now();
  const server = await startUntilResponse(args, options);
  const milliseconds = performance.now() - startedAt;
  await server.stop();
  return milliseconds;
}

/** Milliseconds of CPU time that a server's process uses until its first response. */
export async function measureColdStart(args, options) {
  const server = await startUntilResponse(args, options);
  const milliseconds = server.readCpu() / 1000;
  await server.stop();
  return milliseconds;
}

// --- Internal helpers ---

async function startUntilResponse(args, options) {
  const server = await startServer(args, options);
  const response = await send(server.origin, "/api/rpc/getUser", "{}", { "x-shop-id": "1001" });
  await response.text();
  return server;
}
