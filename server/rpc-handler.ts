import type { ServerRequest } from "srvx";
import { LoginLimiter } from "../rpc/accounts/login-limiter.ts";
import { Call } from "../rpc/call.ts";
import { createContext, createPublicContext } from "../rpc/call-contexts.ts";
import { dispatch, findMethod } from "../rpc/dispatch.ts";
import { RpcError } from "../rpc/error.ts";
import { readIdempotencyKey } from "../rpc/idempotency/idempotency-key.ts";
import { completePendingMerges } from "../rpc/lists/merge-lists.ts";
import { allowedVerbs } from "../rpc/method.ts";
import { CallSession } from "../rpc/session/call-session.ts";
import { commit } from "../rpc/session/commit.ts";
import type { ShopServices } from "../rpc/shop-services.ts";
import { CallResponses } from "./call-response.ts";
import type { CallTallies, CallTally } from "./call-tally.ts";
import type { StorefrontOptions } from "./config/options.ts";
import {
  assertRunsWithoutSession,
  findSession,
  transportOf,
  type SessionLookup,
} from "./credentials/lookup.ts";
import type { SessionTransport } from "./credentials/transport.ts";
import { Deadlines } from "./deadline.ts";
import { createCallIds, HttpCall, type CallSource } from "./http-call.ts";
import { IdempotentCall } from "./idempotent-call.ts";
import { readPayload, unreadBody } from "./payload.ts";
import { createAddressCheck, RequestEvent } from "./request.ts";
import type { RequestRules } from "./responder.ts";
import { discardBody, discardResult, toResponse, type RpcResponse } from "./response.ts";
import { ShopResolver, unknownMethod, type Route } from "./router.ts";
import type { Services } from "./services.ts";
import type { CallSpan } from "./telemetry.ts";
import { unknownCallPath } from "./unknown-path.ts";

/**
 * Responds to a call, or to its preflight; an error becomes problem+json.
 * @param route the target of the call; absent if the path is below `rpc` and no method's
 */
export type Handle = (
  request: ServerRequest,
  route: Route | undefined,
  source?: CallSource,
) => Promise<Response>;

/**
 * Creates the function that responds to every call.
 * @param settings `schedule` delays each call until the promise resolves; `tallies` counts the storage operations of each
 * call, only with `log.calls`
 */
export function createRpcHandler(
  options: StorefrontOptions,
  services: Services,
  rules: RequestRules,
  {
    schedule,
    checkResult,
    tallies,
  }: {
    readonly schedule: (() => Promise<void>) | undefined;
    readonly checkResult: Call["runtime"]["checkResult"];
    readonly tallies: CallTallies | undefined;
  },
) {
  const { hooks, log, callTimeout, loginAttempts } = options;
  const { cors, credentials, readForwarded, random, state } = rules;
  const { clock, observer } = services;
  const createCallId = options.callLog && createCallIds(random);
  const runtime: Call["runtime"] = {
    hooks,
    log,
    callTimeout,
    credentialHeaders: credentials.requestHeaders,
    loginLimiter: loginAttempts && new LoginLimiter(services.accounts, loginAttempts),
    checkResult,
  };
  const shopResolver = new ShopResolver(options);
  const responses = new CallResponses(options, shopResolver, rules);
  const checkAddress = createAddressCheck(options);
  const deadlines = new Deadlines(callTimeout, clock);

  /** The path of a call. */
  async function handle(
    request: ServerRequest,
    route: Route | undefined,
    source = single,
    span?: CallSpan,
  ): Promise<Response> {
    const { batched, page } = source;
    const event = new RequestEvent(request, readForwarded, batched?.request ?? page?.request);
    const deadline = batched === undefined ? deadlines.begin(request) : batched.deadline;
    const current = new HttpCall(event, route, credentials);
    current.id = createCallId?.();
    current.span = span;
    const startedAt = observer === undefined ? 0 : clock.monotonic();
    let tally: CallTally | undefined;
    let response: RpcResponse | undefined;
    try {
      if (state.isClosed) throw new RpcError("draining");
      event.assertValid();
      assertConfigured(options);
      if (route === undefined) throw unknownCallPath(request, options);
      if (event.isPreflight) return toResponse(cors.answerPreflight(event), request);

      const shop = (current.shop = shopResolver.find(event, route.shopPath));
      const acceptsCookies = cors.assertOrigin(event, shop);
      const shopServices = services.shops.get(shop) as ShopServices;
      const method = findMethod(shopServices.methods, route.method);
      if (method === undefined) throw unknownMethod(route.method, shopServices.methods, options);
      current.method = method;
      // Each method accepts POST.
      if (request.method !== "POST") event.assertVerb(allowedVerbs[method.verb] ?? "POST");
      const idempotencyKey = readIdempotencyKey(method, event.headers);
      const payload =
        batched === undefined
          ? await deadline.wait(readPayload(event, options.maxBodySize), undefined, unreadBody)
          : batched.payload;
      // Not before the body: Node fails on a web stream that nobody has read in its first tick.
      if (schedule !== undefined) await schedule();
      tally = tallies?.begin();
      deadline.assertInTime();
      checkAddress(event);

      const call = (current.call = new Call(runtime, shopServices, {
        method: route.method,
        id: current.id,
        payload,
        idempotencyKey,
        client: event,
        deadline,
        span,
        toRedactor: () => current.redactor,
        responseHeaders: undefined,
      }));
      if (method.access !== "public") {
        const transports = (current.transports = acceptsCookies
          ? (credentials.enabled.get(shop) as readonly SessionTransport[])
          : credentials.explicitIn(shop));
        const finding = findSession(event.headers, transports, shopServices.sessions);
        const lookup = finding instanceof Promise ? await deadline.wait(finding) : finding;
        current.lookup = lookup;
        current.isCached = lookup === finding && lookup.session !== undefined;
        if (lookup.reused.length > 0) await deadline.wait(reportReuse(call, lookup));
        // A method with `signsIn` runs in any case, so the page shows its result.
        if (page !== undefined) page.isRetired = lookup.gone === "retired" && !method.signsIn;
        if (lookup.gone !== undefined) assertRunsWithoutSession(lookup.gone, method);
        const transport = transportOf(lookup, transports);
        const guest = page?.guestOf(shop.shopId);
        const session = new CallSession(call, lookup, transport, createContext, guest);
        current.session = session;
        if (lookup.session?.record.mergePending)
          await deadline.wait(completePendingMerges(session));
        // A pending merge isn't a change of the method.
        session.isReadOnly = method.verb === "GET";
        const { key } = call;
        if (key !== undefined) {
          const first = (current.idempotent = new IdempotentCall(session, method, key));
          response = await deadline.wait(first.begin(), () => first.end());
        }
      }

      if (response === undefined) {
        const context = current.session?.context ?? createPublicContext(call);
        const running = dispatch(call, current.session, context, method, payload);
        current.idempotent?.follow(running);
        const result = await deadline.wait(running, discardResult);
        response = responses.of(current, result);
        current.idempotent?.keep(result, response);
      }
      const { lookup, session } = current;
      if (session !== undefined) {
        if (session.isCommitDue) await deadline.wait(commit(session));
        if (lookup?.needsReissue || session.extended) {
          // Not if a login replaced the ID in the meantime: its cookie may be there already.
          current.isReissueDue = await deadline.wait(session.isActive().catch(() => false));
        }
      }
    } catch (error) {
      if (response !== undefined) discardBody(response);
      response = await responses.ofError(current, error);
    } finally {
      current.end(source);
      if (batched === undefined) deadlines.end(deadline);
    }
    // Also if the call failed: an earlier login or logout stays in effect.
    current.addSessionHeaders(response.headers);
    cors.addHeaders(event, current.shop, response.headers);
    if (observer !== undefined) {
      const operations = tallies && (tally?.operations ?? 0);
      const seconds = (clock.monotonic() - startedAt) / 1000;
      const observed = current.toObserved(response, seconds, operations);
      observer.call(observed);
      span?.end(observed);
    }
    const isStream = response.body instanceof ReadableStream;
    return toResponse(response, request, isStream ? current.call?.log : undefined);
  }

  const tracer = options.telemetry.find((each) => each.begin !== undefined);
  const traced: Handle = (request, route, source) => {
    const span = tracer?.begin?.(request);
    const run = () => handle(request, route, source, span);
    return span === undefined ? run() : span.run(run);
  };
  return { handle: tracer === undefined ? (handle satisfies Handle) : traced, deadlines };
}

/** @throws RpcError `misconfigured` if production rejects the config; the log gets the reason */
export function assertConfigured({ refusal }: StorefrontOptions): void {
  if (refusal !== undefined) throw new RpcError("misconfigured", { cause: refusal });
}

// --- Internal helpers ---

/** The source of a call that is neither in a batch nor a page's. */
const single: CallSource = { batched: undefined, page: undefined };

function reportReuse(call: Call, { reused }: SessionLookup): Promise<unknown> {
  return Promise.all(reused.map((reuse) => call.reportReuse(reuse)));
}
