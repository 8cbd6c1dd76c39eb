import { send } from "./calls.mjs";
import { startServer } from "./server.mjs";

/** Milliseconds from the start of a server's process to its first response. */
export async function measureBoot(args, options) {
  const startedAt = performance.now();
  const server = await startServer(args, options);
  await send(server.origin, "/api/rpc/getUser", "{}", { "x-shop-id": "1001" });
  const milliseconds = performance.now() - startedAt;
  await server.stop();
  return milliseconds;
}
