import type { StorageFaults } from "../documents/documents.ts";
import type { Logger } from "../../shared/log.ts";
import type { RedisClient } from "./redis-client.ts";

/** Looks for settings that endanger documents. Finds none if the user may not read them. */
export async function inspectRedis(client: RedisClient): Promise<StorageFaults> {
  const [info, memory] = await Promise.all(
    ["server", "memory"].map((section) => client.info(section).catch(() => "")),
  );
  const evictionPolicy = await readEvictionPolicy(client);
  const version = /^redis_version:(\d+)/m.exec(info ?? "")?.[1] ?? oldestVersion;
  const limit = readBytes(memory, "maxmemory");
  return {
    evictionPolicy: evictionPolicy === "noeviction" ? undefined : evictionPolicy,
    outdated: Number(version) < oldestVersion ? `Redis ${version}` : undefined,
    memoryUse: limit > 0 ? readBytes(memory, "used_memory") / limit : undefined,
  };
}

/**
 * Logs a warning if the client connects to a Redis that evicts keys, once for each policy. If Redis evicts a
 * generation, sessions end; if it evicts an index, `logoutEverywhere` can miss sessions.
 */
export function warnOfEviction(client: RedisClient, log: Logger): void {
  let lastPolicy = "noeviction";
  const check = async (): Promise<void> => {
    const policy = await readEvictionPolicy(client);
    if (policy === undefined || policy === lastPolicy) return;
    lastPolicy = policy;
    if (policy !== "noeviction") {
      const expected = "maxmemory-policy noeviction";
      log.warn("Redis evicts keys when its memory is full", { found: policy, expected });
    }
  };
  if (client.status === "ready") void check();
  client.on("ready", () => void check());
}

// --- Internal helpers ---

/** The first version that pushes changes. */
const oldestVersion = 6;

function readBytes(info = "", field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
}

async function readEvictionPolicy(client: RedisClient): Promise<string | undefined> {
  const reply = await client.config("GET", "maxmemory-policy").catch(() => []);
  const [, policy] = Array.isArray(reply) ? (reply as unknown[]) : [];
  return typeof policy === "string" ? policy : undefined;
}
