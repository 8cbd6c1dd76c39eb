import { H3, type H3Event } from "h3";
import { createAccounts } from "../rpc/accounts.ts";
import type { ShopBackend } from "../rpc/backend.ts";
import { builtinMethods } from "../rpc/builtin.ts";
import { Call, type CallEnvironment } from "../rpc/call.ts";
import { dispatch, findMethod } from "../rpc/dispatch.ts";
import { RpcError } from "../rpc/error.ts";
import { LoginAttempts } from "../rpc/login-attempts.ts";
import type { RpcMethod } from "../rpc/method.ts";
import { Redactor } from "../rpc/redactor.ts";
import type { CallSession } from "../rpc/session.ts";
import { createAdmin } from "./admin.ts";
import { toAnswer, toResponse, type Answer } from "./answer.ts";
import { openBackends, type Backends, type StoreDescription } from "./backends.ts";
import type { StorefrontConfig } from "./config.ts";
import { Cors } from "./cors.ts";
import { Deadlines, type Deadline } from "./deadline.ts";
import { isOneOfSeveral } from "./environment.ts";
import { assertHeaderSize } from "./headers.ts";
import { createHealth } from "./health.ts";
import type { Shop, StorefrontOptions } from "./options.ts";
import { readPayload } from "./payload.ts";
import { toProblem } from "./problem.ts";
import { resolveConfig } from "./resolve.ts";
import { findSession, toSessionHeaders, transportOf } from "./session.ts";
import { ShopSelection } from "./shop-selection.ts";
import { createTransports, type Transports } from "./transports.ts";

/** A storefront, ready to be served: an h3 app, with what was decided for it. */
export type Storefront = H3 & {
  readonly options: StorefrontOptions;
  /** The storages in use, and what they guarantee. */
  readonly stores: readonly StoreDescription[];
  /** Closes the storages; a driver object that came with the config is disposed too. */
  close(): Promise<void>;
};

/**
 * Puts a storefront together from its config.
 * @param production refuses what is fit for development only; by default as `NODE_ENV` says
 * @throws ConfigError with every fault of the config
 */
export function createStorefront(
  config: StorefrontConfig,
  { production = process.env["NODE_ENV"] === "production" }: { production?: boolean } = {},
): Storefront {
  const options = resolveConfig(config, { production, isOneOfSeveral: isOneOfSeveral() });
  const backends = openBackends(options);
  const calls = new Calls(options, backends);
  const app = new H3({
    silent: true,
    onRequest: assertHeaderSize,
    onError: (error, event) => calls.answerStray(error, event),
  });
  addCallRoutes(app, options, calls);
  app.mount("/", createHealth(backends.stores));
  app.mount("/", createAdmin(options, backends));
  const { fetch } = app;
  return Object.assign(app, {
    /** Refuses a request without an address, as `Host: x:99999` makes it: h3 fails on it before it can answer. */
    fetch: (request: Request): Response | Promise<Response> =>
      hasAddress(request) ? fetch(request) : calls.answerUnaddressed(request),
    options,
    stores: backends.descriptions,
    async close() {
      calls.close();
      await Promise.all(backends.stores.map((store) => store.close()));
    },
  });
}

// --- Internal helpers ---

/**
 * Each method has a route of its own, under each path of a shop: h3 finds one without parameters at once,
 * while parameters take as long as reading the session. Those are for what is no method or no shop.
 */
function addCallRoutes(app: H3, { basePath, shops, methods }: StorefrontOptions, calls: Calls) {
  const folder = `${basePath}/rpc`;
  for (const path of new Set([undefined, ...shops.map((shop) => shop.public.path)])) {
    const place = path === undefined ? folder : `/${path}${folder}`;
    for (const name of Object.keys({ ...builtinMethods, ...methods })) {
      app.all(`${place}/${name}`, (event) => calls.answer(event, name, path));
    }
  }
  for (const place of [folder, `/:shop${folder}`]) {
    app.all(`${place}/:method`, (event) => {
      const { method = "", shop } = event.context.params ?? {};
      return calls.answer(event, method, shop);
    });
  }
}

/** Answers calls: from a request to a method, and back. */
class Calls {
  readonly #options: StorefrontOptions;
  readonly #backends: Backends;
  readonly #environment: CallEnvironment;
  readonly #selection: ShopSelection;
  readonly #cors: Cors;
  readonly #deadlines: Deadlines;
  readonly #transports: ReadonlyMap<Shop, Transports>;

  constructor(options: StorefrontOptions, backends: Backends) {
    this.#options = options;
    this.#backends = backends;
    this.#selection = new ShopSelection(options);
    this.#cors = new Cors(options.shops, options.log);
    this.#deadlines = new Deadlines(options.callTimeout);
    this.#transports = new Map(options.shops.map((shop) => [shop, createTransports(shop)]));
    this.#environment = {
      methods: { ...builtinMethods, ...options.methods },
      hooks: options.hooks,
      log: options.log,
      auth: options.auth ?? createAccounts(backends.accounts),
      loginAttempts:
        options.loginAttempts && new LoginAttempts(backends.accounts, options.loginAttempts),
    };
  }

  /**
   * Answers a call, or the preflight of one.
   * @param path the segment of the URL before the base path, if there is one
   */
  async answer(event: H3Event, name: string, path: string | undefined): Promise<Response> {
    // A preflight carries no headers of ours, so its shop is not known yet.
    const preflight = isPreflight(event);
    const shop = preflight ? undefined : this.#selection.find(event, path);
    const origin = event.req.headers.get("origin");
    const redactor = new Redactor(event.req.headers);
    const deadline = this.#deadlines.begin(event.req);
    let answer: Answer;
    try {
      answer = preflight
        ? this.#cors.answerPreflight(event, origin)
        : await this.#answerCall(event, origin, shop, name, redactor, deadline);
    } catch (error) {
      answer = toProblem(error, redactor, redactor.guard(this.#options.log));
    } finally {
      this.#deadlines.finish(deadline);
    }
    this.#cors.describe(event, origin, shop, answer.headers);
    return toResponse(answer);
  }

  /** Answers what no route takes. */
  answerStray(error: unknown, event: H3Event): Response {
    const redactor = new Redactor(event.req.headers);
    const answer = toProblem(error, redactor, redactor.guard(this.#options.log));
    this.#cors.describe(event, event.req.headers.get("origin"), undefined, answer.headers);
    return toResponse(answer);
  }

  /** Ends what goes on between the calls. */
  close(): void {
    this.#deadlines.stop();
  }

  /** Answers what came to no address. */
  answerUnaddressed({ headers }: Request): Response {
    const error = new RpcError("malformed_request");
    return toResponse(toProblem(error, new Redactor(headers), this.#options.log));
  }

  async #answerCall(
    event: H3Event,
    origin: string | null,
    shop: Shop | undefined,
    name: string,
    redactor: Redactor,
    deadline: Deadline,
  ): Promise<Answer> {
    if (shop === undefined) throw new RpcError("unknown_shop");
    this.#cors.assertOrigin(event, origin, shop);
    const method = findMethod(this.#environment.methods, name);
    if (method === undefined) throw new RpcError("unknown_method");
    assertVerb(event.req.method, method);
    const payload = await deadline.keep(readPayload(event, this.#options.maxBodySize));
    const backend = this.#backends.shops.get(shop) as ShopBackend;
    const request = { method: name, client: event.req, deadline, redactor };
    const call = new Call(this.#environment, backend, request);
    return method.access === "public"
      ? toPublicAnswer(event, await deadline.keep(dispatch(call, name, payload)))
      : await this.#answerWithSession(event, origin, shop, call, deadline, payload);
  }

  async #answerWithSession(
    event: H3Event,
    origin: string | null,
    shop: Shop,
    call: Call,
    deadline: Deadline,
    payload: unknown,
  ): Promise<Answer> {
    const { all, withoutCookies } = this.#transports.get(shop) as Transports;
    const transports = this.#cors.takesCookies(event, origin, shop) ? all : withoutCookies;
    const found = findSession(event.req.headers, transports, call.backend.sessions);
    const presented = found instanceof Promise ? await deadline.keep(found) : found;
    const session = call.openSession(presented.session, transportOf(presented, transports));
    if (presented.reused.length > 0) {
      await deadline.keep(Promise.all(presented.reused.map((reuse) => call.reportReuse(reuse))));
    }
    let answer: Answer;
    try {
      answer = await deadline.keep(run(call, session, payload));
    } catch (error) {
      answer = toProblem(error, call.redactor, call.log);
    }
    // Also where the call failed: a login or logout that came before stands.
    const isSecure = event.url.protocol === "https:";
    answer.headers.push(...toSessionHeaders(presented, session, transports, isSecure));
    return answer;
  }
}

/** Runs the method that was called, and writes what it changed. */
async function run(call: Call, session: CallSession, payload: unknown): Promise<Answer> {
  const merging = session.completePendingMerge();
  if (merging !== undefined) await merging;
  const answer = toAnswer(await dispatch(call, call.request.method, payload));
  const committing = session.commit();
  if (committing !== undefined) await committing;
  return answer;
}

/** Hosts for which no URL need be parsed, which takes as long as finding the shop and the method. */
const plainHost = /^[a-z0-9.-]+(?::[1-5]?\d{1,4})?$/i;

function hasAddress(request: Request): boolean {
  const { headers } = request;
  if (plainHost.test(headers.get("host") ?? "") && !headers.has("x-forwarded-host")) return true;
  try {
    // srvx may throw on it, too.
    return URL.canParse(request.url);
  } catch {
    return false;
  }
}

function isPreflight({ req }: H3Event): boolean {
  return req.method === "OPTIONS" && req.headers.has("access-control-request-method");
}

/** A method answers POST, and GET where its answer depends on no session and changes nothing. */
function assertVerb(verb: string, { access, readOnly }: RpcMethod): void {
  if (verb === "POST") return;
  const isCacheable = access === "public" && readOnly;
  if (isCacheable && (verb === "GET" || verb === "HEAD")) return;
  const allow = isCacheable ? "GET, HEAD, POST" : "POST";
  throw new RpcError("wrong_verb", { headers: { allow } });
}

/** Lets caches keep what a GET has answered; the shop may have come in a header. */
function toPublicAnswer(event: H3Event, value: unknown): Answer {
  if (event.req.method === "POST") return toAnswer(value);
  const answer = toAnswer(value, "public, max-age=60");
  answer.headers.push(["vary", "x-shop-id"]);
  return answer;
}
