import type { ServerRequest } from "srvx";
import { pause, systemClock } from "../storage/clock.ts";
import { findMethod } from "../rpc/dispatch.ts";
import { RpcError } from "../rpc/error.ts";
import type { RpcMethods } from "../rpc/method.ts";
import { Redactor } from "../rpc/redaction/redactor.ts";
import { unbatched } from "../rpc/unbatched.ts";
import { withDetails } from "../shared/log.ts";
import { toCalls, type BatchEntry } from "./batch-calls.ts";
import { joinResults, toResult } from "./batch-results.ts";
import { CredentialJar } from "./credential-jar.ts";
import { clientSignal, isClientGone } from "./client-signal.ts";
import type { Shop, StorefrontOptions } from "./config/options.ts";
import type { HeaderEntry } from "./credentials/transport.ts";
import type { Deadline } from "./deadline.ts";
import { responseHeader } from "./method-response.ts";
import type { PageCall } from "./page-visit.ts";
import { maxDepth, readBody, unreadBody } from "./payload.ts";
import { RequestEvent } from "./request.ts";
import type { RequestRules } from "./responder.ts";
import { discardBody, toResponse, type RpcResponse } from "./response.ts";
import { ShopResolver } from "./router.ts";
import type { BatchedCall } from "./http-call.ts";
import { assertConfigured, type createRpcHandler } from "./rpc-handler.ts";

/**
 * Creates the function that responds to `POST {basePath}/rpc` and its preflight. It runs the calls one after another,
 * as one visitor with one deadline. Each call has the checks, hooks, and log lines of a single call.
 */
export function createBatchHandler(
  options: StorefrontOptions,
  { cors, credentials, readForwarded, toProblem, state }: RequestRules,
  { handle, deadlines }: ReturnType<typeof createRpcHandler>,
  methods: RpcMethods,
) {
  const shopResolver = new ShopResolver(options);

  async function handleBatch(
    request: ServerRequest,
    shopPath: string | undefined,
    page?: PageCall,
  ): Promise<Response> {
    const event = new RequestEvent(request, readForwarded, page?.request);
    const deadline = deadlines.begin(request);
    let shop: Shop | undefined;
    let response: RpcResponse;
    try {
      if (state.isClosed) throw new RpcError("draining");
      event.assertValid();
      assertConfigured(options);
      if (event.isPreflight) return toResponse(cors.answerPreflight(event), request);
      shop = shopResolver.find(event, shopPath);
      cors.assertOrigin(event, shop);
      event.assertVerb("POST");
      // The payload of a call is two levels below the batch, and one below the body of a single call.
      const reading = readBody(event, options.maxBodySize, toCalls, maxDepth + 1);
      const calls = await deadline.wait(reading, undefined, unreadBody);
      response = await runAll(request, { shop, shopPath, deadline, page }, calls);
    } catch (error) {
      const redactor = new Redactor(() => credentials.findSecrets(event.headers));
      const thrown = isClientGone(error, request)
        ? new RpcError("client_gone", { cause: error })
        : error;
      response = toProblem(thrown, redactor, redactor.guard(options.log));
    } finally {
      deadlines.end(deadline);
    }
    cors.addHeaders(event, shop, response.headers);
    return toResponse(response, request);
  }

  /** Runs the calls. Headers of one response become headers of the batch: its cookies, and the longest `Retry-After`. */
  async function runAll(
    request: ServerRequest,
    {
      shop,
      shopPath,
      deadline,
      page,
    }: {
      readonly shop: Shop;
      readonly shopPath: string | undefined;
      readonly deadline: Deadline;
      readonly page: PageCall | undefined;
    },
    calls: readonly BatchEntry[],
  ): Promise<RpcResponse> {
    const jar = new CredentialJar(credentials, request.headers);
    const results: ReturnType<typeof toResult>[] = [];
    const cookies: HeaderEntry[] = [];
    let retryAfter = 0;
    let resumedAt = systemClock.monotonic();
    for (const { method, payload, key } of calls) {
      if (systemClock.monotonic() - resumedAt > longestTurn) {
        await pause(0);
        resumedAt = systemClock.monotonic();
      }
      const refusal = findRefusal(methods, method, deadline);
      if (refusal !== undefined) {
        results.push(refuse(refusal, shop, method));
        continue;
      }
      const batched: BatchedCall = { request: page?.request ?? request, payload, deadline };
      const callRequest = toCallRequest(request, jar.headersFor(key));
      const response = await handle(callRequest, { method, shopPath }, { batched, page });
      const { ownCookies } = jar.follow(response, batched.session);
      cookies.push(...ownCookies.map((line): HeaderEntry => ["set-cookie", line]));
      retryAfter = Math.max(retryAfter, Number(response.headers.get("retry-after") ?? 0) || 0);
      if (response.headers.has(responseHeader)) {
        discardBody(response);
        results.push(refuse(answersResponse(method), shop, method));
      } else {
        results.push(toResult(response.status, await response.arrayBuffer()));
      }
    }
    return {
      status: 200,
      body: joinResults(results),
      headers: [
        ["cache-control", "no-store"],
        ["content-type", "application/json"],
        ...(retryAfter > 0 ? [["retry-after", String(retryAfter)] as [string, string]] : []),
        ...cookies,
        ...jar.issued,
      ],
    };
  }

  /** The result of a call that does not run, or whose result can't be sent. */
  function refuse(error: RpcError, { shopId }: Shop, method: string): ReturnType<typeof toResult> {
    // A client can send any text as the name of a method that doesn't exist.
    const details = Object.hasOwn(methods, method) ? { shopId, method } : { shopId };
    const log = withDetails(options.log, details);
    const { status, body } = toProblem(error, new Redactor(), log);
    if (status < 500) log.debug("A call of a batch was rejected", { code: error.code });
    return toResult(status, body as string);
  }

  return handleBatch;
}

// --- Internal helpers ---

/** Milliseconds after which other requests can run between two calls. */
const longestTurn = 5;

/** The error of a call that must not run in a batch, or that has no time left. */
function findRefusal(methods: RpcMethods, name: string, deadline: Deadline): RpcError | undefined {
  try {
    deadline.assertInTime();
  } catch {
    const detail = "The calls before this one took all the time of the batch";
    return new RpcError("timeout", { detail, executed: false });
  }
  if (!unbatched.has(name) && findMethod(methods, name)?.signsIn !== true) return undefined;
  const detail = `${name} signs in or out, or changes the session ID. Send it in a request of its own: POST {basePath}/rpc/${name}`;
  return new RpcError("not_batchable", { detail, executed: false });
}

/** The error of a call whose result a batch can't contain. Its session changes are stored. */
function answersResponse(name: string): RpcError {
  const detail = `${name} returned a Response, which a batch can't contain. Send it in a request of its own: POST {basePath}/rpc/${name}`;
  return new RpcError("not_batchable", { detail, executed: true });
}

/** The request of one call: that of the batch, with other headers, and without Node's response. */
function toCallRequest(batch: ServerRequest, headers: Headers): ServerRequest {
  const { url, runtime } = batch;
  const node = runtime?.node;
  const request = {
    method: "POST",
    url,
    headers,
    // The response to the batch sets the cookies, once.
    runtime: node === undefined ? runtime : { ...runtime, node: { req: node.req, res: undefined } },
    get signal() {
      return clientSignal(batch);
    },
  };
  return request as ServerRequest;
}
