import { setImmediate } from "node:timers";
import type { Logger } from "../../shared/log.ts";
import { LoopTimer, type Timed } from "../documents/loop-timer.ts";
import type { RedisClient } from "./redis-client.ts";
import { toAddress, watchConnections, type Connections } from "./redis-connections.ts";
import { createRedisOutages, type RedisOutages } from "./redis-outages.ts";

/**
 * Sends commands to Redis. A command fails if no reply comes within the client's time limit. Errors don't contain the
 * command.
 *
 * While the client connects, commands wait here and not in the client's queue, so a command that timed out is never
 * sent. Commands above {@link maxCommands} fail immediately, and so do commands while Redis is down.
 */
export class RedisCommands {
  readonly #client: RedisClient;
  readonly #limit: number;
  readonly #timer: LoopTimer;
  readonly #outages: RedisOutages;
  readonly #connections: Connections;
  /** The number of sent commands that have no reply and are not lost with their connection. */
  #unanswered = 0;
  /** The number of lost connections; the client may never settle their commands. */
  #lost = 0;
  /** The commands to send when the client is ready. */
  readonly #waiting = new Set<Command<unknown>>();
  /** The number of connections that ended since the client was ready. */
  #failures = 0;
  #isHeldBack = false;
  #lastReconnect = 0;

  constructor(client: RedisClient, log: Logger) {
    this.#client = client;
    const { options } = client;
    this.#limit = options?.commandTimeout ?? options?.redisOptions?.commandTimeout ?? 1000;
    this.#timer = new LoopTimer(this.#limit);
    this.#outages = createRedisOutages(log);
    this.#connections = watchConnections(client, {
      timer: this.#timer,
      outages: this.#outages,
      onClose: () => {
        this.#lost++;
        this.#unanswered = 0;
      },
    });
    client.on("ready", () => this.#resume());
    client.on("close", () => this.#fail());
    client.on("end", () => this.#fail());
  }

  /**
   * Sends a command, together with the other commands of the same tick.
   * @param recover returns the reply for an error, or throws
   */
  send<T>(send: () => Promise<T>, recover?: (error: unknown) => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const isReady = this.#isReady();
      const refusal = this.#refusal(isReady);
      if (refusal !== undefined) {
        reject(new Error(refusal));
        return;
      }
      const command: Command<T> = {
        send,
        recover,
        resolve,
        reject,
        timed: this.#timer.start(() => this.#expire(command as Command<unknown>)),
      };
      if (isReady) this.#sendNow(command);
      else this.#wait(command as Command<unknown>);
    });
  }

  /** Notes that Redis accepted a write, so it is no read-only replica. */
  wrote(): void {
    if (this.#lastReconnect === 0) return;
    this.#lastReconnect = 0;
    this.#outages.end(this.#addressOfPrimary());
  }

  close(): void {
    this.#connections.close();
  }

  #isReady(): boolean {
    const { status = "ready", stream } = this.#client;
    // A connection that is closing is still ready, but accepts no commands.
    return status === "ready" && stream?.writable !== false;
  }

  /** The reason not to send a command at all. */
  #refusal(isReady: boolean): string | undefined {
    const isFull = this.#unanswered + this.#waiting.size >= maxCommands;
    if (isFull) return `More than ${maxCommands} commands wait for Redis`;
    return !isReady && this.#isDown() ? this.#noConnection() : undefined;
  }

  #noConnection(): string {
    return `There is no connection to Redis: ${this.#outages.reason() ?? "it was closed"}`;
  }

  #isDown(): boolean {
    return this.#failures >= maxFailures || this.#client.status === "end";
  }

  #sendNow<T>(command: Command<T>): void {
    this.#holdBack();
    this.#unanswered++;
    const lost = this.#lost;
    command.send().then(
      (reply) => {
        if (this.#lost === lost) this.#unanswered--;
        this.#timer.end(command.timed);
        command.resolve(reply);
      },
      (error: unknown) => {
        if (this.#lost === lost) this.#unanswered--;
        this.#timer.end(command.timed);
        this.#reconnectIfDemoted(error);
        fail(command, error);
      },
    );
  }

  #expire(command: Command<unknown>): void {
    if (!this.#waiting.delete(command)) this.#connections.probe();
    command.reject(new Error(`No response within ${this.#limit} ms`));
  }

  #wait(command: Command<unknown>): void {
    this.#waiting.add(command);
    if (this.#client.status === "wait") this.#client.connect?.().catch(() => {});
  }

  #resume(): void {
    this.#failures = 0;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const command of waiting) this.#sendNow(command);
  }

  #fail(): void {
    this.#failures++;
    if (!this.#isDown()) return;
    for (const command of this.#waiting) {
      this.#timer.end(command.timed);
      command.reject(new Error(this.#noConnection()));
    }
    this.#waiting.clear();
  }

  /** A demoted primary rejects commands on this connection forever; a new connection finds the new primary. */
  #reconnectIfDemoted(error: unknown): void {
    if (this.#client.isCluster || !(error instanceof Error)) return;
    const [reason] = /\b(?:READONLY|MASTERDOWN)\b/.exec(error.message) ?? [];
    const now = Date.now();
    if (reason === undefined || Math.abs(now - this.#lastReconnect) < reconnectInterval) return;
    this.#lastReconnect = now;
    this.#outages.begin(this.#addressOfPrimary(), reason);
    // Replies that are on their way still arrive.
    this.#client.disconnect?.(true);
  }

  #addressOfPrimary(): string {
    return `${toAddress(this.#client)} (the primary)`;
  }

  /** Sends all further commands of this tick in one write at its end, because each write is a system call. */
  #holdBack(): void {
    const { stream } = this.#client;
    if (this.#isHeldBack || stream === undefined) return;
    this.#isHeldBack = true;
    stream.cork();
    setImmediate(() => {
      this.#isHeldBack = false;
      stream.uncork();
    });
  }
}

// --- Internal helpers ---

/** One command, and the promise of its reply. */
interface Command<T> {
  readonly send: () => Promise<T>;
  readonly recover: ((error: unknown) => T | Promise<T>) | undefined;
  readonly resolve: (reply: T | Promise<T>) => void;
  readonly reject: (error: unknown) => void;
  readonly timed: Timed;
}

/** About 10 MB while Redis doesn't reply. */
const maxCommands = 5000;

/** One failure can be a change of servers; after more, calls fail immediately until the client is ready again. */
const maxFailures = 2;

/** Milliseconds from one attempt to find the primary to the next. */
const reconnectInterval = 2000;

function fail<T>({ recover, resolve, reject }: Command<T>, error: unknown): void {
  try {
    if (recover === undefined) reject(toSafeError(error));
    else resolve(Promise.resolve(recover(error)).catch(throwSafe));
  } catch (reason) {
    reject(toSafeError(reason));
  }
}

/** An error of ioredis contains the command, and would bring a document or the password into every log. */
function toSafeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message, name, stack } = error;
  return Object.assign(new Error(message), { name, stack });
}

function throwSafe(error: unknown): never {
  throw toSafeError(error);
}
