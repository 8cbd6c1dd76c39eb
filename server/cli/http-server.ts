import { ServerResponse, type Server as HttpServer } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
// Node's own timers, so that calls work if a test has faked the global ones.
import { setImmediate } from "node:timers";
import { setImmediate as nextTick, setTimeout as sleep } from "node:timers/promises";
import { H3, type H3Config } from "h3";
import type { ServerMiddleware } from "srvx";
import { messageOf } from "../../shared/log.ts";
import type { ServerConfig } from "../config/config.ts";
import { StartError } from "../config/start-error.ts";
import { createHome } from "../dev-page/home.ts";
import { pageCalls } from "../page-calls.ts";
import type { OpenStorefront } from "../storefront.ts";
import type { Storefront } from "../storefront-app.ts";
import { unknownPath } from "../unknown-path.ts";

/**
 * Creates the app that `storefront start` serves: the storefront, then the config's `server.routes`, then `/` for the
 * development page, and problem+json for everything else.
 * @throws StartError with one line for an operator if `server.routes` throws, or its promise is rejected
 */
export async function createServerApp({ app, respond }: OpenStorefront): Promise<H3> {
  const settings: H3Config = {
    silent: true,
    allowMalformedURL: true,
    onError: (error, { req }) => respond(req, () => Promise.reject(error)),
  };
  const server = new H3(settings);
  server.mount("/", app);
  // An app of their own: calls skip h3's middleware, so middleware for these routes must not run for other requests.
  const own = new H3(settings);
  try {
    const { routes } = app.options.server as Pick<ServerConfig, "routes">;
    await routes?.(own, withoutRouting(app));
  } catch (error) {
    throw new StartError("SF906", `server.routes: ${messageOf(error)}`, { cause: error });
  }
  const leadHome = createHome(app.options);
  own.all("/**", ({ req }) =>
    respond(req, (event) => {
      const home = leadHome(event);
      if (home === undefined) throw unknownPath(req, app.options, app[pageCalls].methods);
      return home;
    }),
  );
  return server.all("/**", ({ req }) => respond(req, () => own.fetch(req)));
}

/**
 * Creates a middleware that finds the route of a call by its exact path, which saves 10 to 15 % of the time of a read.
 * It skips h3's middleware and routes, so install it only for an app of `createServerApp`, without additions.
 */
export function createFastRoutes({ routes, handle, respond }: OpenStorefront): ServerMiddleware {
  return (request, next) => {
    const { method, url = "" } = request.runtime?.node?.req ?? {};
    const end = method === "POST" ? -1 : url.indexOf("?");
    const route = routes.get(end === -1 ? url : url.slice(0, end));
    // h3 throws for a request without a valid URL, so `respond` checks it first.
    return route === undefined ? respond(request, () => next()) : handle(request, route);
  };
}

let ending: Promise<void> | undefined;

/**
 * Resolves at the end of this tick of the event loop, for all callers together. The calls of one tick then run as a
 * batch, with warm code: each takes a half to two thirds of the time. A single connection waits longer.
 */
export function endOfTick(): Promise<void> {
  ending ??= new Promise((resolve) => {
    setImmediate(() => {
      ending = undefined;
      resolve();
    });
  });
  return ending;
}

/** Why a server stops: for good, after a change of its config in `dev`, or because another worker has taken over. */
export type StopReason = "shutdown" | "reload" | "replaced";

/**
 * The open connections of one HTTP server, which can be drained: each request is still answered, with
 * `Connection: close`. A client that respects the header (RFC 9112, 9.6) loses no request.
 */
export class Connections {
  /** Each open connection with its latest response. */
  readonly #open = new Map<Socket, ServerResponse | undefined>();
  #accepted = 0;
  #isDraining = false;

  /** The number of open connections. */
  get count(): number {
    return this.#open.size;
  }

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
   * Closes the server's port, and waits until each connection has ended. Node's `close` would end idle connections
   * while a request is on its way to them.
   * @param timeout seconds until the server closes all connections, even those with a request
   * @param reason `reload` closes idle connections immediately; a request that is on its way on one of them fails.
   * `replaced` means that the primary process owns the port, so no connection waits here.
   * @returns how many calls were in flight at the timeout, and got no response
   */
  async end(server: HttpServer, timeout: number, reason: StopReason): Promise<number> {
    if (reason === "shutdown") await this.#untilQuiet();
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(server, () => resolve());
    });
    // Any earlier, clients would open new connections while the port is about to close.
    this.#isDraining = true;
    if (reason === "reload") this.#dropIdle();
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
      await nextTick();
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

/**
 * The storefront for `server.routes`. Middleware and routes of the storefront itself would never run, because calls skip
 * h3. A check of visitors that is silently off is dangerous, so adding one fails.
 */
function withoutRouting(app: Storefront): Storefront {
  const replaced = { on: rejectRoute, use: rejectRoute, mount: rejectRoute };
  return Object.assign(Object.create(app) as Storefront, replaced);
}

function rejectRoute(): never {
  throw new Error(
    "the storefront takes no routes and no middleware, because calls don't pass through them. Add your routes and their middleware to the first argument, and check calls in a hook",
  );
}

/** Whether a connection carries no call: it never had one, or its latest response is complete. */
function isOver(response: ServerResponse | undefined): boolean {
  return response === undefined || response.writableFinished;
}

/** Longer than an idle tick of the event loop. */
const quietMilliseconds = 0.2;
/** After this time, the port closes in any case. */
const maxMilliseconds = 1000;
const calmMilliseconds = 100;
