import {
  asideSeconds,
  pingKey,
  pingSeconds,
  type AdapterOptions,
  type StorageAdapter,
  type RemoteFeed,
  type Swap,
} from "../documents/adapter.ts";
import type { ChangeListener, Counters, CounterState } from "../documents/documents.ts";
import { createRedisKeys, type RedisDriver } from "./redis-client.ts";
import { openRedisFeed } from "./redis-feed.ts";
import { createRedisCommands } from "./redis-commands.ts";
import {
  countScript,
  otherType,
  pingScript,
  setAsideScript,
  swapScript,
  takeScript,
} from "./redis-scripts.ts";
import { inspectRedis, warnOfEviction } from "./redis-server.ts";

/**
 * Creates the adapter for Redis and Redis Cluster: atomic across processes; Redis removes expired documents.
 *
 * Each operation is one command on one key, so it fits any slot. A value of another Redis type counts as unreadable.
 */
export function createRedisAdapter(
  driver: RedisDriver,
  { log, clock }: AdapterOptions,
): StorageAdapter {
  const client = driver.getInstance();
  const keys = createRedisKeys(driver.options?.base, client.options?.keyPrefix);
  const commands = createRedisCommands(client, log);
  warnOfEviction(client, log);
  // Each node of a cluster pushes only its own changes, and nodes join and leave.
  const canPush = !client.isCluster && client.duplicate !== undefined;
  return {
    capabilities: { atomic: "cluster", changes: canPush ? "pushed" : "unheard", ttl: "native" },
    async read(key) {
      return (await commands.send(() => client.get(keys.toCommand(key)), toOtherType)) ?? undefined;
    },
    async swap(key, { match, text }, next) {
      // Send the remaining time, because clocks can differ. Each read also checks `expiresAt`.
      const left = next?.expiresAt && Math.max(1, Math.ceil(next.expiresAt - clock.now()));
      const args = [match, text, next?.text ?? "", String(left ?? "")];
      const swap = toSwap(await run(swapScript, key, args));
      if (swap.swapped) commands.wrote();
      return swap;
    },
    async take(key) {
      const text = (await run(takeScript, key, [])) as string | null;
      return text ?? undefined;
    },
    async setAside(key, text) {
      const args = [text, String(asideSeconds), client.isCluster ? "cluster" : ""];
      return toSwap(await run(setAsideScript, key, args));
    },
    async ping() {
      await run(pingScript, pingKey, [String(pingSeconds)]);
      commands.wrote();
    },
    inspect: () => inspectRedis(client),
    async close() {
      commands.close();
      await driver.dispose?.();
    },
    counters: openCounters,
    ...(canPush && { watch }),
  };

  function watch(prefix: string, emit: ChangeListener): RemoteFeed {
    const emitKey = (key?: string) => emit(key && keys.fromServer(key));
    return openRedisFeed(client, log, keys.toServer(prefix), emitKey);
  }

  /**
   * Counts with one command on a single key. If a value isn't a count, calls fail until the window has passed. Otherwise
   * an attacker could reset a limit by corrupting it.
   */
  function openCounters(name: string, window: number): Counters {
    return {
      read: (key) => add(key, 0),
      add: (key) => add(key, 1),
      async takeBack(key) {
        await add(key, -1);
      },
      async clear(key) {
        await run(takeScript, `${name}:${key}`, []);
      },
    };

    async function add(count: string, added: number): Promise<CounterState> {
      const key = `${name}:${count}`;
      const reply = await run(countScript, key, [String(added), String(window)]);
      // With the option `stringNumbers`, ioredis returns numbers as text.
      const [total, left = 0] = (reply as readonly unknown[]).map(Number);
      if (total === undefined) {
        log.warn(
          "A counter of login attempts is unreadable; calls that need it fail until its window has passed",
          { key },
        );
        throw new Error("Not a count");
      }
      return total <= 0 || left <= 0
        ? { count: 0, endsIn: 0 }
        : { count: total, endsIn: Math.ceil(left / 1000) };
    }
  }

  /** Runs a script on one key, and loads the script if Redis doesn't have it. */
  function run({ sha1, lua }: typeof swapScript, path: string, args: string[]): Promise<unknown> {
    const key = keys.toCommand(path);
    const runKnown = () => client.evalsha(sha1, 1, key, ...args);
    return commands.send(runKnown, (error) => {
      if (!isError(error, "NOSCRIPT")) throw error;
      return client.eval(lua, 1, key, ...args);
    });
  }
}

// --- Internal helpers ---

/** With the option `stringNumbers`, ioredis returns numbers as text. */
function toSwap(reply: unknown): Swap {
  const [swapped, current] = reply as readonly [number | string, (string | null)?];
  return Number(swapped) === 1
    ? { swapped: true }
    : { swapped: false, current: current ?? undefined };
}

function toOtherType(error: unknown): string {
  if (isError(error, "WRONGTYPE")) return otherType;
  throw error;
}

function isError(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(code);
}
