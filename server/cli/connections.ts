import { ServerResponse, type Server as HttpServer } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";

/** How connections end. */
export interface Drain {
  /** Seconds until the server closes all connections, even those with a request. */
  readonly timeout: number;
  /** Closes idle connections immediately; a request that is on its way on such a connection fails. */
  readonly dropsIdle?: boolean;
}

/**
 * The open connections of one HTTP server, which can be drained: each request is still answered, with
 * `Connection: close`. A client that respects the header (RFC 9112, 9.6) loses no request.
 */
export class Connections {
  /** Each open connection with its latest response. */
  readonly #open = new Map<Socket, ServerResponse | undefined>();
  #accepted = 0;
  #isDraining = false;

  /** Tracks the connections of a server, whose response class must be {@link createResponseClass}. */
  watch(server: HttpServer): void {
    server.on("connection", (socket) => {
      this.#accepted++;
      this.#open.set(socket, undefined);
      socket.once("close", () => this.#open.delete(socket));
    });
  }

  /** The class of the server's responses: Node writes their heads with it. */
  createResponseClass(): typeof ServerResponse {
    const begin = (response: ServerResponse) => this.#open.set(response.req.socket, response);
    // If a pipelined request has arrived after this one, it gets a response, too.
    const isLast = (response: ServerResponse) =>
      this.#isDraining && this.#open.get(response.req.socket) === response;
    return class extends ServerResponse {
      constructor(...args: ConstructorParameters<typeof ServerResponse>) {
        super(...args);
        begin(this);
      }

      override writeHead(status: number, ...rest: never[]): this {
        if (isLast(this)) this.shouldKeepAlive = false;
        return super.writeHead(status, ...rest);
      }
    } as typeof ServerResponse;
  }

  /** Lets clients move to other servers for some seconds, while the port is still open. */
  async delay(seconds: number): Promise<void> {
    if (seconds === 0) return;
    this.#isDraining = true;
    await sleep(seconds * 1000 - calmMilliseconds);
    // Clients keep their connections now, so few new ones arrive when the port closes.
    this.#isDraining = false;
    await sleep(calmMilliseconds);
  }

  /**
   * Closes the server's port and waits until each connection has ended. Nothing that has begun to send is cut
   * before the timeout: Node's `close` would end idle connections while a request is on its way to them.
   * @returns how many calls were in flight at the timeout, and got no answer
   */
  async end(server: HttpServer, { timeout, dropsIdle = false }: Drain): Promise<number> {
    if (!dropsIdle) await this.#untilQuiet();
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(server, () => resolve());
    });
    // Any earlier, clients would open new connections while the port is about to close.
    this.#isDraining = true;
    if (dropsIdle) this.#dropIdle();
    const given = new AbortController();
    const cutting = sleep(timeout * 1000, undefined, { signal: given.signal }).then(
      () => this.#cut(),
      () => 0,
    );
    await closed;
    given.abort();
    // Stops the timer that looks for slow requests.
    server.close(() => undefined);
    return cutting;
  }

  /**
   * Waits until no connection waits for its acceptance: the kernel resets such connections when the port closes.
   * Node accepts one connection per tick, so a short tick without a new one shows that none waits.
   */
  async #untilQuiet(): Promise<void> {
    const beganAt = performance.now();
    let [startedAt, accepted] = [beganAt, -1];
    do {
      await setImmediate();
      const now = performance.now();
      // Under load, even the shortest tick is longer.
      const isShort = now - startedAt < quietMilliseconds + (now - beganAt) / 500;
      if (isShort && this.#accepted === accepted) return;
      [startedAt, accepted] = [now, this.#accepted];
    } while (startedAt - beganAt < maxMilliseconds);
  }

  #dropIdle(): void {
    for (const [socket, response] of this.#open) {
      if (isOver(response)) socket.destroy();
    }
  }

  #cut(): number {
    const calls = [...this.#open.values()].filter((response) => !isOver(response));
    for (const socket of this.#open.keys()) socket.destroy();
    return calls.length;
  }
}

// --- Internal helpers ---

/** Whether a connection carries no call: it never had one, or its latest response is complete. */
function isOver(response: ServerResponse | undefined): boolean {
  return response === undefined || response.writableFinished;
}

/** Longer than an idle tick of the event loop. */
const quietMilliseconds = 0.2;
/** After this time, the port closes in any case. */
const maxMilliseconds = 1000;
const calmMilliseconds = 100;
