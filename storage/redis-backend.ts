import { createHash } from "node:crypto";
import { joinKeys } from "unstorage";
import { createRedisAttempts } from "./attempts.ts";
import { asideSeconds, type Backend, type RemoteFeed, type Swap } from "./backend.ts";
import type { ChangeListener } from "./changes.ts";
import type { Logger } from "./log.ts";
import { createAsk } from "./redis-ask.ts";
import { watchOutages, type RedisDriver } from "./redis-client.ts";
import { openRedisFeed } from "./redis-feed.ts";
import { warnOfEviction } from "./redis-server.ts";

/**
 * Documents in Redis or a Redis Cluster: atomic for every process on it, removed by Redis itself.
 *
 * Each operation is one command on one key, so that it fits any slot.
 */
export function createRedisBackend(driver: RedisDriver, log: Logger): Backend {
  const client = driver.getInstance();
  // As unstorage's driver makes its keys; ours need no more than this before them.
  const base = joinKeys(driver.options?.base ?? "");
  const toRedisKey = (key: string) => (base === "" ? key : `${base}:${key}`);
  const ask = createAsk(client);
  watchOutages(client, log);
  warnOfEviction(client, log);
  // Each node of a cluster pushes its own changes only, and nodes come and go.
  const canPush = !client.isCluster && client.duplicate !== undefined;
  return {
    capabilities: { atomic: "cluster", changes: canPush ? "pushed" : "unheard", ttl: "native" },
    async read(key) {
      return (await ask(() => client.get(toRedisKey(key)))) ?? undefined;
    },
    async swap(key, { match, text }, next) {
      // Time left, not a point in time: the clocks may differ, and `expiresAt` is checked at every read.
      const left = next?.expiresAt && Math.max(1, Math.ceil(next.expiresAt - Date.now()));
      const args = [match, text, next?.text ?? "", String(left ?? "")];
      return toSwap((await ask(() => run(swapScript, key, args))) as SwapReply);
    },
    async take(key) {
      const text = (await ask(() => run(takeScript, key, []))) as string | null;
      return text ?? undefined;
    },
    async setAside(key, text) {
      const args = [text, String(asideSeconds), client.isCluster ? "cluster" : ""];
      const reply = await ask(() => run(setAsideScript, key, args));
      return toSwap(reply as SwapReply);
    },
    async ping() {
      await ask(() => client.ping());
    },
    async close() {
      await driver.dispose?.();
    },
    attempts: (name, window) => createRedisAttempts(client, toRedisKey(name), window, ask),
    ...(canPush && { watch }),
  };

  function watch(prefix: string, tell: ChangeListener): RemoteFeed {
    return openRedisFeed(
      client,
      toRedisKey(prefix),
      (key) => tell(key === undefined || base === "" ? key : key.slice(base.length + 1)),
      log,
    );
  }

  async function run({ sha1, lua }: Script, key: string, args: string[]): Promise<unknown> {
    try {
      return await client.evalsha(sha1, 1, toRedisKey(key), ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return client.eval(lua, 1, toRedisKey(key), ...args);
    }
  }
}

// --- Internal helpers ---

type SwapReply = readonly [swapped: number, current?: string | null];

interface Script {
  readonly lua: string;
  readonly sha1: string;
}

const swapScript = toScript(`
local match, expected, next, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local current = redis.call("GET", KEYS[1])
local same
if not current then
  same = match == "absent"
elseif match == "prefix" then
  same = string.sub(current, 1, #expected) == expected
else
  same = match == "exact" and current == expected
end
if not same then return { 0, current } end
if next == "" then
  redis.call("DEL", KEYS[1])
elseif ttl == "" then
  redis.call("SET", KEYS[1], next)
else
  redis.call("SET", KEYS[1], next, "PX", ttl)
end
return { 1 }
`);

const takeScript = toScript(`
local current = redis.call("GET", KEYS[1])
if current then redis.call("DEL", KEYS[1]) end
return current
`);

/** On a cluster both keys must be in one slot, so the first becomes the hash tag of the second, unless it has one. */
const setAsideScript = toScript(`
local key, expected, seconds = KEYS[1], ARGV[1], ARGV[2]
local current = redis.call("GET", key)
if current ~= expected then return { 0, current } end
local aside = key .. ":unreadable"
if ARGV[3] == "cluster" and not string.find(key, "{[^}]+}") then
  aside = "{" .. key .. "}:unreadable"
end
redis.call("RENAME", key, aside)
redis.call("EXPIRE", aside, seconds)
return { 1 }
`);

function toSwap([swapped, current]: SwapReply): Swap {
  return swapped === 1 ? { swapped: true } : { swapped: false, current: current ?? undefined };
}

function toScript(lua: string): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}
