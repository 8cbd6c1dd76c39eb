import { setImmediate } from "node:timers";
import type { Logger } from "../../shared/log.ts";
import { systemClock } from "../clock.ts";
import { LoopTimer, type Timed } from "../documents/loop-timer.ts";
import type { RedisClient } from "./redis-client.ts";
import {
  createRedisOutages,
  toAddress,
  warnOfReplicas,
  watchConnections,
} from "./redis-connections.ts";

/**
 * Creates a queue of commands for Redis. Commands wait here while the client connects, so a command that timed out is
 * never sent. Those above {@link maxCommands}, and those while Redis is down, fail immediately.
 */
export function createRedisCommands(client: RedisClient, log: Logger) {
  const { options } = client;
  const limit = options?.commandTimeout ?? options?.redisOptions?.commandTimeout ?? 1000;
  const timer = new LoopTimer(limit);
  const outages = createRedisOutages(log);
  /** The number of sent commands that have no reply and are not lost with their connection. */
  let unanswered = 0;
  /** The number of lost connections; the client may never settle their commands. */
  let lost = 0;
  /** The commands to send when the client is ready. */
  const waiting = new Set<Command>();
  /** The number of connections that ended since the client was ready. */
  let failures = 0;
  let isHeldBack = false;
  let lastReconnect = 0;
  warnOfReplicas(client, log);
  const connections = watchConnections(client, outages, timer, () => {
    lost++;
    unanswered = 0;
  });
  client.on("ready", resume);
  client.on("close", fail);
  client.on("end", fail);
  return {
    /**
     * Sends a command, together with the other commands of the same tick.
     * @param recover returns the reply for an error, or throws
     */
    send<T>(command: () => Promise<T>, recover?: (error: unknown) => T | Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        const isReady = canSend();
        const refusal = refusalOf(isReady);
        if (refusal !== undefined) {
          reject(new Error(refusal));
          return;
        }
        const timed = timer.start(() => {
          if (!waiting.delete(queued)) connections.probe();
          reject(new Error(`No response within ${limit} ms`));
        });
        const queued: Command = { timed, send, reject };
        if (isReady) send();
        else wait(queued);

        function send(): void {
          holdBack();
          unanswered++;
          const lostBefore = lost;
          const end = () => {
            if (lost === lostBefore) unanswered--;
            timer.end(timed);
          };
          command().then(
            (reply) => {
              end();
              resolve(reply);
            },
            (error: unknown) => {
              end();
              reconnectIfDemoted(error);
              // A command that has timed out already can still fail: handle its error, too.
              recoverFrom(error, recover).then(resolve, reject);
            },
          );
        }
      });
    },

    /** Notes that Redis accepted a write, so it isn't a read-only replica. */
    wrote(): void {
      if (lastReconnect === 0) return;
      lastReconnect = 0;
      outages.end(toPrimary(client));
    },

    close: connections.close,
  };

  function canSend(): boolean {
    const { status = "ready", stream } = client;
    // A connection that is closing is still ready, but accepts no commands.
    return status === "ready" && stream?.writable !== false;
  }

  /** The reason not to send a command at all. */
  function refusalOf(isReady: boolean): string | undefined {
    const isFull = unanswered + waiting.size >= maxCommands;
    if (isFull) return `More than ${maxCommands} commands wait for Redis`;
    return !isReady && isDown() ? noConnection() : undefined;
  }

  function noConnection(): string {
    return `No connection to Redis: ${outages.last() ?? "it was closed"}`;
  }

  function isDown(): boolean {
    return failures >= maxFailures || client.status === "end";
  }

  function wait(command: Command): void {
    waiting.add(command);
    if (client.status === "wait") client.connect().catch(() => {});
  }

  function resume(): void {
    failures = 0;
    const commands = [...waiting];
    waiting.clear();
    for (const command of commands) command.send();
  }

  function fail(): void {
    failures++;
    if (!isDown()) return;
    for (const { timed, reject } of waiting) {
      timer.end(timed);
      reject(new Error(noConnection()));
    }
    waiting.clear();
  }

  /** A demoted primary rejects commands on this connection forever; a new connection finds the new primary. */
  function reconnectIfDemoted(error: unknown): void {
    if (client.isCluster || !(error instanceof Error)) return;
    const [reason] = /\b(?:READONLY|MASTERDOWN)\b/.exec(error.message) ?? [];
    const now = systemClock.now();
    if (reason === undefined || Math.abs(now - lastReconnect) < reconnectInterval) return;
    lastReconnect = now;
    outages.begin(toPrimary(client), reason);
    // Replies that are on their way still arrive.
    client.disconnect(true);
  }

  /** Sends all further commands of this tick in one write at its end, because each write is a system call. */
  function holdBack(): void {
    const { stream } = client;
    if (isHeldBack || stream === undefined) return;
    isHeldBack = true;
    stream.cork();
    setImmediate(() => {
      isHeldBack = false;
      stream.uncork();
    });
  }
}

// --- Internal helpers ---

/** A command that waits for the client. */
interface Command {
  readonly timed: Timed;
  readonly send: () => void;
  readonly reject: (error: Error) => void;
}

/** About 10 MB while Redis doesn't reply. */
const maxCommands = 5000;

/** One failure can be a change of servers; after more, calls fail immediately until the client is ready again. */
const maxFailures = 2;

/** Milliseconds from one attempt to find the primary to the next. */
const reconnectInterval = 2000;

function toPrimary(client: RedisClient): string {
  return `${toAddress(client)} (the primary)`;
}

/** An error of ioredis contains the command, and would bring a document or the password into every log. */
async function recoverFrom<T>(
  error: unknown,
  recover: ((error: unknown) => T | Promise<T>) | undefined,
): Promise<T> {
  try {
    if (recover === undefined) throw error;
    return await recover(error);
  } catch (reason) {
    if (!(reason instanceof Error)) throw reason;
    const { message, name, stack } = reason;
    throw Object.assign(new Error(message), { name, stack });
  }
}
