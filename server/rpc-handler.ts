import { createAccounts } from "../rpc/accounts/accounts.ts";
import type { ShopServices } from "../rpc/shop-services.ts";
import { builtinMethods } from "../rpc/methods/builtin.ts";
import { Call, type RpcRuntime } from "../rpc/call.ts";
import { dispatch, findMethod } from "../rpc/dispatch.ts";
import { RpcError } from "../rpc/error.ts";
import { assertRunsWithout } from "../rpc/session/gone-session.ts";
import { LoginLimiter } from "../rpc/accounts/login-limiter.ts";
import type { RpcMethod, RpcMethods } from "../rpc/method.ts";
import type { Redactor } from "../rpc/redaction/redactor.ts";
import { discardBody, toAnswer, toResponse, type Answer } from "./response.ts";
import type { Backends } from "./services.ts";
import type { CallRoute } from "./router.ts";
import { isClientGone } from "./client-gone.ts";
import type { Cors } from "./cors.ts";
import type { Credentials } from "./credentials/credentials.ts";
import { Deadlines, type Deadline } from "./deadline.ts";
import type { Incoming } from "./request.ts";
import { isResponse, MethodResponses } from "./method-response.ts";
import type { Shop, StorefrontOptions } from "./config/options.ts";
import { readPayload } from "./payload.ts";
import { toProblem } from "./problem.ts";
import { findSession } from "./credentials/lookup.ts";
import { toSessionHeaders, transportOf, type Visit } from "./credentials/session-headers.ts";
import { ShopSelection } from "./shop-resolver.ts";
import { endOfTurn } from "../storage/documents/tick-barrier.ts";

/** Answers calls: from a request to a method, and back. */
export class Calls {
  readonly #options: StorefrontOptions;
  readonly #backends: Backends;
  readonly #environment: RpcRuntime;
  readonly #responses: MethodResponses;
  readonly #selection: ShopSelection;
  readonly #cors: Cors;
  readonly #credentials: Credentials;
  readonly #deadlines: Deadlines;

  constructor(
    options: StorefrontOptions,
    backends: Backends,
    { cors, credentials }: { readonly cors: Cors; readonly credentials: Credentials },
  ) {
    this.#options = options;
    this.#backends = backends;
    this.#responses = new MethodResponses(credentials);
    this.#selection = new ShopSelection(options);
    this.#cors = cors;
    this.#credentials = credentials;
    this.#deadlines = new Deadlines(options.callTimeout);
    this.#environment = {
      methods: withOwn(options.methods),
      hooks: options.hooks,
      log: options.log,
      credentialHeaders: credentials.requestHeaders,
      auth: options.auth ?? createAccounts(backends.accounts),
      loginLimiter:
        options.loginAttempts && new LoginLimiter(backends.accounts, options.loginAttempts),
    };
  }

  /** Answers a call, or the preflight of one. */
  answer(event: Incoming, { method, shopPath }: CallRoute): Response | Promise<Response> {
    if (isPreflight(event)) {
      return toResponse(this.#cors.answerPreflight(event, event.headers.get("origin")));
    }
    const exchange = this.#begin(event, shopPath);
    return this.#deadlines.watch(exchange.deadline, this.#answerCall(exchange, method), (error) =>
      this.#answerError(exchange, error),
    );
  }

  /** Ends what goes on between the calls. */
  close(): void {
    this.#deadlines.stop();
  }

  #begin(event: Incoming, shopPath: string | undefined): Exchange {
    const { headers } = event.req;
    return {
      event,
      shopPath,
      origin: headers.get("origin"),
      shop: this.#selection.find(event, shopPath),
      redactor: this.#credentials.redactorFor(headers),
      deadline: this.#deadlines.begin(event.req),
      call: undefined,
      visit: undefined,
    };
  }

  /** The whole path of a call. */
  async #answerCall(exchange: Exchange, name: string): Promise<Response> {
    const { event, origin, shop, redactor, deadline } = exchange;
    if (shop === undefined) throw new RpcError("unknown_shop");
    const takesCookies = this.#cors.assertOrigin(event, origin, shop);
    const method = findMethod(this.#environment.methods, name);
    if (method === undefined) throw new RpcError("unknown_method");
    assertVerb(event.req.method, method);
    const payload = await readPayload(event, this.#options.maxBodySize);
    // Not before: Node fails on the web stream of a body that was let wait.
    await endOfTurn();
    deadline.assertInTime();
    const backend = this.#backends.shops.get(shop) as ShopServices;
    const call = new Call(this.#environment, backend, {
      method: name,
      client: event,
      deadline,
      redactor,
    });
    exchange.call = call;
    if (method.access === "public") {
      return this.#finish(
        exchange,
        this.#toPublicAnswer(exchange, await dispatch(call, name, payload)),
      );
    }
    const enabled = this.#credentials.enabledIn(shop);
    const transports = takesCookies ? enabled : enabled.filter(({ isAmbient }) => !isAmbient);
    const found = findSession(event.req.headers, transports, backend.sessions);
    const lookup = found instanceof Promise ? await found : found;
    if (lookup.reused.length > 0) {
      await Promise.all(lookup.reused.map((reuse) => call.reportReuse(reuse)));
    }
    if (lookup.gone !== undefined) assertRunsWithout(lookup.gone, method);
    const session = call.openSession(lookup, transportOf(lookup, transports));
    const visit: Visit = { lookup, session, transports, isReissueDue: false };
    exchange.visit = visit;
    // A call that has been answered does not begin any more.
    deadline.assertInTime();
    const merging = session.completePendingMerge();
    if (merging !== undefined) await merging;
    const result = await dispatch(call, name, payload);
    const answer = isResponse(result) ? this.#responses.toAnswer(result) : toAnswer(result);
    try {
      const committing = session.commit();
      if (committing !== undefined) await committing;
      // Not if a login replaced the ID in the meantime: its cookie may be there already.
      const isDue = lookup.needsReissue || session.extended;
      visit.isReissueDue = isDue && (await session.isActive().catch(() => false));
    } catch (error) {
      discardBody(answer);
      throw error;
    }
    return this.#finish(exchange, answer);
  }

  #answerError(exchange: Exchange, error: unknown): Response {
    const { call, event, redactor, visit } = exchange;
    const log = call?.log ?? redactor.guard(this.#options.log);
    if (isClientGone(error, event.req)) {
      const gone = new RpcError("client_gone", { cause: error });
      return this.#finish(exchange, toProblem(gone, redactor, log));
    }
    if (!isResponse(error)) return this.#finish(exchange, toProblem(error, redactor, log));
    try {
      const answer =
        visit === undefined
          ? this.#toPublicAnswer(exchange, error, "no-store")
          : this.#responses.toAnswer(error);
      return this.#finish(exchange, answer);
    } catch (failure) {
      return this.#finish(exchange, toProblem(failure, redactor, log));
    }
  }

  /**
   * Lets shared caches keep the result of a GET, if the URL alone chose the shop.
   * @param cacheControl for such a result
   */
  #toPublicAnswer(
    { event, origin, shop, shopPath }: Exchange,
    value: unknown,
    cacheControl = "public, max-age=60",
  ): Answer {
    const isRead = event.req.method !== "POST";
    const isOfUrl = isRead && this.#selection.findByUrl(event, shopPath) === shop;
    const rule = isOfUrl ? cacheControl : isRead ? "private, no-store" : "no-store";
    const answer = isResponse(value)
      ? this.#responses.toAnswer(value, isRead && !isOfUrl ? undefined : rule)
      : toAnswer(value, rule);
    if (isRead) answer.headers.push(["vary", this.#selection.vary]);
    if (isRead && origin !== null) answer.headers.push(["vary", this.#cors.vary]);
    return answer;
  }

  /** Also where the call failed: a login or logout that came before stands. */
  #finish(exchange: Exchange, answer: Answer): Response {
    const { call, event, deadline, origin, shop, visit } = exchange;
    // The client got a timeout instead.
    if (typeof answer.body !== "string" && deadline.hasPassed) discardBody(answer);
    if (visit !== undefined) {
      const isSecure = () => event.url.protocol === "https:";
      answer.headers.push(...toSessionHeaders(visit, isSecure));
    }
    this.#cors.describe(event, origin, shop, answer.headers);
    return toResponse(answer, call && { log: call.log, request: event.req });
  }
}

// --- Internal helpers ---

/** A call's request, and what its answer depends on. */
interface Exchange {
  readonly event: Incoming;
  /** The segment of the URL before the base path, if there is one. */
  readonly shopPath: string | undefined;
  /** The header of this name. */
  readonly origin: string | null;
  readonly shop: Shop | undefined;
  readonly redactor: Redactor;
  readonly deadline: Deadline;
  /** Once its payload is read. */
  call: Call | undefined;
  /** Once it has its session. */
  visit: Visit | undefined;
}

/** The built-in methods, and the methods of the config. */
function withOwn(methods: RpcMethods): RpcMethods {
  const own = Object.entries(methods).filter(([, method]) => (method as unknown) !== undefined);
  return { ...builtinMethods, ...Object.fromEntries(own) };
}

function isPreflight({ req }: Incoming): boolean {
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
