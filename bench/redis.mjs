import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import { loadCore, runOn } from "./cores.mjs";

/** Starts an empty Redis that writes nothing to disk. */
export async function startRedis() {
  const port = await findFreePort();
  const args = ["--port", `${port}`, "--bind", host, "--save", ""];
  const child = spawn(...runOn(loadCore, "redis-server", args), { stdio: "ignore" });
  const exited = once(child, "exit");
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const url = `redis://${host}:${port}`;
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => {});
  await client.ping();
  return {
    url,
    client,
    async stop() {
      process.off("exit", end);
      client.disconnect();
      end();
      await exited;
    },
  };
}

// --- Internal helpers ---

const host = "127.0.0.1";

async function findFreePort() {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
