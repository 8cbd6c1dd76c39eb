import { ServerResponse, type Server as HttpServer } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";

/** How connections end. */
export interface Drain {
  /** Seconds until idle connections are closed, and those that carry a request. */
  readonly timeout: number;
  /** Closes idle connections immediately; a request that is on its way to one fails. */
  readonly dropsIdle?: boolean;
}

/**
 * The open connections of one HTTP server, which can be drained: each request is still answered, with
 * `Connection: close`. A client that respects the header (RFC 9112, 9.6) loses no request.
 */
export class Connections {
  /** Each with its latest response. */
  readonly #open = new Map<Socket, ServerResponse | undefined>();
  #isDraining = false;

  /** Counts the connections of a server, whose responses are to be of {@link createResponseClass}. */
  watch(server: HttpServer): void {
    server.on("connection", (socket) => {
      this.#open.set(socket, undefined);
      socket.once("close", () => this.#open.delete(socket));
    });
  }

  /** The class of the server's responses: Node writes their heads with it. */
  createResponseClass(): typeof ServerResponse {
    const begin = (response: ServerResponse) => this.#open.set(response.req.socket, response);
    // A pipelined request that has arrived behind this one is answered, too.
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

  /** Answers each request with `Connection: close` from now on. */
  startDraining(): void {
    this.#isDraining = true;
  }

  /**
   * Closes the server's port and waits until each connection has ended. Nothing that has begun to send is cut
   * before the timeout: Node's `close` would end idle connections while a request is on its way to them.
   */
  async end(server: HttpServer, { timeout, dropsIdle = false }: Drain): Promise<void> {
    this.startDraining();
    if (!dropsIdle) await this.#untilQuiet();
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(server, () => resolve());
    });
    if (dropsIdle) this.#dropIdle();
    const given = new AbortController();
    const timedOut = sleep(timeout * 1000, undefined, { signal: given.signal }).then(
      () => this.#open.forEach((_, socket) => socket.destroy()),
      () => undefined,
    );
    await closed;
    given.abort();
    await timedOut;
    // Stops the timer that looks for slow requests.
    server.close(() => undefined);
  }

  /**
   * Waits for a moment in which little else happens. The kernel resets a connection that it has accepted but that
   * Node has not seen when the port is closed, so the port is closed right after Node has looked.
   */
  async #untilQuiet(): Promise<void> {
    for (let turn = 0; turn < 200; turn++) {
      const startedAt = performance.now();
      await setImmediate();
      if (turn > 0 && performance.now() - startedAt < quietMilliseconds) return;
    }
  }

  #dropIdle(): void {
    for (const [socket, response] of this.#open) {
      if (response === undefined || response.writableFinished) socket.destroy();
    }
  }
}

// --- Internal helpers ---

/** What one turn of the event loop takes if it has nothing to do. */
const quietMilliseconds = 0.2;
