import type { ServerRequest } from "srvx";
import { LoginLimiter } from "../rpc/accounts/login-limiter.ts";
import { Call } from "../rpc/call.ts";
import { assertRunsWithout, dispatch, findMethod } from "../rpc/dispatch.ts";
import { RpcError } from "../rpc/error.ts";
import { readKeyFor } from "../rpc/idempotency/kept-methods.ts";
import type { RpcMethod } from "../rpc/method.ts";
import { Redactor } from "../rpc/redaction/redactor.ts";
import type { ShopServices } from "../rpc/shop.ts";
import { findTrace } from "../shared/trace-ids.ts";
import { createCallIds } from "./call-id.ts";
import { CallResponses } from "./call-response.ts";
import type { CallTally } from "./call-tally.ts";
import { isClientGone } from "./client-signal.ts";
import type { Shop, StorefrontOptions } from "./config/options.ts";
import type { Credentials } from "./credentials/credentials.ts";
import {
  findSession,
  toSessionHeaders,
  transportOf,
  type SessionLookup,
  type Visit,
} from "./credentials/lookup.ts";
import type { SessionTransport } from "./credentials/transport.ts";
import { Deadlines, type Deadline } from "./deadline.ts";
import { IdempotentCall } from "./idempotent-call.ts";
import { toObservedCall } from "./observed-call.ts";
import { readPayload, unreadBody } from "./payload.ts";
import type { PageCall } from "./page-visit.ts";
import { toProblem } from "./problem.ts";
import { createAddressCheck, RequestEvent } from "./request.ts";
import type { RequestRules } from "./responder.ts";
import {
  discardBody,
  discardResult,
  isResponse,
  toResponse,
  type RpcResponse,
} from "./response.ts";
import type { CallSpan } from "./telemetry.ts";
import { ShopResolver, unknownMethod, type Route } from "./router.ts";
import type { Services } from "./services.ts";
import { unknownCallPath } from "./unknown-path.ts";
import { assertVerb, isPreflight } from "./verb.ts";

/**
 * Responds to a call, or to its preflight; an error becomes problem+json.
 * @param route the target of the call; absent if the path is below `rpc` and no method's
 * @param page for a call that a page makes while the server renders it
 */
export type Handle = (
  request: ServerRequest,
  route: Route | undefined,
  batched?: BatchedCall,
  page?: PageCall,
) => Promise<Response>;

/** A call of a batch: its payload is read, and it has the deadline of the batch. */
export interface BatchedCall {
  /** The request of the batch, which has the client's address. */
  readonly request: ServerRequest;
  readonly payload: unknown;
  readonly deadline: Deadline;
  /** Set at the end of a call that has a session. */
  visit?: Visit;
}

/**
 * Creates the function that responds to every call.
 * @param schedule delays each call until the promise resolves
 */
export function createRpcHandler(
  options: StorefrontOptions,
  services: Services,
  { cors, credentials, readForwarded, random, state }: RequestRules,
  schedule: (() => Promise<void>) | undefined,
) {
  const { clock, observer, tallies } = services;
  const createCallId = options.callLog && createCallIds(random);
  const environment = createEnvironment(options, services, credentials);
  const shopResolver = new ShopResolver(options);
  const responses = new CallResponses(options, shopResolver, { cors, credentials });
  const checkAddress = createAddressCheck(options);
  const deadlines = new Deadlines(options.callTimeout, services.clock);

  /** The path of a call. */
  async function handle(
    request: ServerRequest,
    route: Route | undefined,
    batched?: BatchedCall,
    page?: PageCall,
    tally?: CallTally,
    span?: CallSpan,
  ): Promise<Response> {
    const event = new RequestEvent(request, readForwarded, batched?.request ?? page?.request);
    const { headers, origin } = event;
    const startedAt = observer === undefined ? 0 : clock.monotonic();
    const id = createCallId?.();
    let redactor: Redactor | undefined;
    const toRedactor = () => (redactor ??= new Redactor(() => credentials.findSecrets(headers)));
    const deadline = batched === undefined ? deadlines.begin(request) : batched.deadline;
    let shop: Shop | undefined;
    let called: RpcMethod | undefined;
    let call: Call | undefined;
    let found: SessionLookup | undefined;
    let isCached = false;
    let visit: Visit | undefined;
    let response: RpcResponse | undefined;
    let idempotent: IdempotentCall | undefined;
    try {
      if (state.isClosed) throw new RpcError("draining");
      event.assertValid();
      assertConfigured(options);
      if (route === undefined) throw unknownCallPath(request, options);
      if (isPreflight(request)) return toResponse(cors.answerPreflight(event, origin), request);

      shop = shopResolver.find(event, route.shopPath);
      const acceptsCookies = cors.assertOrigin(event, origin, shop);
      const shopServices = services.shops.get(shop) as ShopServices;
      const method = findMethod(shopServices.methods, route.method);
      if (method === undefined) throw unknownMethod(route.method, shopServices.methods, options);
      called = method;
      assertVerb(request.method, method);
      const idempotencyKey = readKeyFor(method, headers);
      const payload =
        batched === undefined
          ? await deadline.wait(readPayload(event, options.maxBodySize), undefined, unreadBody)
          : batched.payload;
      // Not before the body: Node fails on a web stream that nobody has read in its first tick.
      if (schedule !== undefined) await schedule();
      deadline.assertInTime();
      checkAddress(event);

      const current = new Call(environment, shopServices, {
        method: route.method,
        id,
        payload,
        idempotencyKey,
        client: event,
        deadline,
        span,
        toRedactor,
        responseHeaders: undefined,
      });
      call = current;
      if (method.access !== "public") {
        const transports = acceptsCookies
          ? (credentials.enabled.get(shop) as readonly SessionTransport[])
          : credentials.explicitIn(shop);
        const finding = findSession(headers, transports, shopServices.sessions);
        const lookup = finding instanceof Promise ? await deadline.wait(finding) : finding;
        isCached = lookup === finding && lookup.session !== undefined;
        found = lookup;
        const { gone, reused } = lookup;
        if (reused.length > 0) {
          await deadline.wait(Promise.all(reused.map((reuse) => current.reportReuse(reuse))));
        }
        // A method with `signsIn` runs in any case, so the page shows its result.
        if (page !== undefined) page.isRetired = gone === "retired" && !method.signsIn;
        if (gone !== undefined) assertRunsWithout(gone, method);
        const session = call.openSession(
          lookup,
          transportOf(lookup, transports),
          page?.guestOf(shop.shopId),
        );
        visit = { lookup, session, transports, isReissueDue: false };
        const merging = session.completePendingMerge();
        if (merging !== undefined) await deadline.wait(merging);
        // A pending merge is no change of the method.
        session.isReadOnly = method.verb === "GET";
        const { key } = current;
        if (key !== undefined) {
          const first = (idempotent = new IdempotentCall(current, method, key));
          response = await deadline.wait(first.begin(), () => first.end());
        }
      }

      if (response === undefined) {
        const running = dispatch(call, method, payload);
        idempotent?.follow(running);
        const result = await deadline.wait(running, discardResult);
        const { responseHeaders } = current.request;
        response =
          visit === undefined
            ? responses.ofPublic(event, { route, shop }, result, responseHeaders)
            : responses.ofSession(event, result, responseHeaders);
        idempotent?.keep(result, response);
      }
      if (visit !== undefined) {
        const { lookup, session } = visit;
        const committing = session.commit();
        if (committing !== undefined) await deadline.wait(committing);
        if (lookup.needsReissue || session.extended) {
          // Not if a login replaced the ID in the meantime: its cookie may be there already.
          visit.isReissueDue = await deadline.wait(session.isActive().catch(() => false));
        }
      }
    } catch (error) {
      if (response !== undefined) discardBody(response);
      const log = call?.log ?? toRedactor().guard(options.log);
      const own = call?.request.responseHeaders;
      const toFailure = (failure: unknown) =>
        toErrorResponse(
          failure,
          request,
          (problem) => toProblem(problem, toRedactor(), log, random),
          (thrown) =>
            visit === undefined
              ? responses.ofPublic(event, { route, shop }, thrown, own, "no-store")
              : responses.ofSession(event, thrown, own),
        );
      response = await (idempotent?.fail(error, toFailure) ?? toFailure(error));
    } finally {
      idempotent?.end();
      call?.end();
      if (batched === undefined) deadlines.end(deadline);
      else if (visit !== undefined) batched.visit = visit;
      if (page !== undefined && visit !== undefined) page.visit = visit;
    }
    // Also if the call failed: an earlier login or logout stays in effect.
    if (visit !== undefined) {
      const isSecure = () => event.url.protocol === "https:";
      response.headers.push(...toSessionHeaders(visit, isSecure));
    }
    cors.addHeaders(event, origin, shop, response.headers);
    if (observer !== undefined) {
      const observed = toObservedCall({
        shop,
        method: called && route?.method,
        response,
        seconds: (clock.monotonic() - startedAt) / 1000,
        lookup: found,
        isCached,
        record: visit?.session.current?.record,
        id,
        operations: tally?.operations,
        trace: id === undefined ? undefined : findTrace(headers, span),
      });
      observer.call(observed);
      span?.end(observed);
    }
    const isStream = response.body instanceof ReadableStream;
    return toResponse(response, request, isStream ? call?.log : undefined);
  }

  const tracer = options.telemetry.find((each) => each.begin !== undefined);
  const traced: typeof handle = (request, route, batched, page, tally) => {
    const span = tracer?.begin?.(request);
    return span === undefined
      ? handle(request, route, batched, page, tally)
      : span.run(() => handle(request, route, batched, page, tally, span));
  };
  if (tallies === undefined) return { handle: tracer === undefined ? handle : traced, deadlines };
  const counted: Handle = (request, route, batched, page) =>
    tallies.run((tally) => traced(request, route, batched, page, tally));
  return { handle: counted, deadlines };
}

/** @throws RpcError `misconfigured` if production rejects the config; the log gets the reason */
export function assertConfigured({ refusal }: StorefrontOptions): void {
  if (refusal !== undefined) throw new RpcError("misconfigured", { cause: refusal });
}

// --- Internal helpers ---

function createEnvironment(
  { hooks, log, callTimeout, loginAttempts }: StorefrontOptions,
  { accounts }: Services,
  { requestHeaders }: Credentials,
): Call["runtime"] {
  return {
    hooks,
    log,
    callTimeout,
    credentialHeaders: requestHeaders,
    loginLimiter: loginAttempts && new LoginLimiter(accounts, loginAttempts),
  };
}

/**
 * @param reject for any other error
 * @param respondWith for a `Response` that a method threw
 */
function toErrorResponse(
  error: unknown,
  request: ServerRequest,
  reject: (problem: unknown) => RpcResponse,
  respondWith: (response: Response) => RpcResponse,
): RpcResponse {
  if (isClientGone(error, request)) return reject(new RpcError("client_gone", { cause: error }));
  if (!isResponse(error)) return reject(error);
  try {
    return respondWith(error);
  } catch (failure) {
    return reject(failure);
  }
}
