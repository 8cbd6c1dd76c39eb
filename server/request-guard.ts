import type { ServerRequest } from "srvx";
import { RpcError } from "../rpc/error.ts";
import type { Logger } from "../storage/log.ts";
import { toResponse } from "./answer.ts";
import type { Cors } from "./cors.ts";
import type { Credentials } from "./credentials.ts";
import { assertHeaders } from "./headers.ts";
import { IncomingRequest, type Incoming } from "./incoming.ts";
import { toProblem } from "./problem.ts";
import type { ProxyTrust } from "./trusted-proxies.ts";

/** Answers an accepted request; it may throw, or reject. */
export type Handler = (incoming: Incoming) => Response | Promise<Response>;

/**
 * What every route does around its handler: it checks the headers first, and turns an error into problem+json.
 * It is part of the routes and not of the app, so that it holds in an app that the storefront is mounted in.
 */
export class RequestGuard {
  readonly #trusts: ProxyTrust;
  readonly #cors: Cors;
  readonly #credentials: Credentials;
  readonly #log: Logger;
  #isClosed = false;

  constructor(trusts: ProxyTrust, cors: Cors, credentials: Credentials, log: Logger) {
    this.#trusts = trusts;
    this.#cors = cors;
    this.#credentials = credentials;
    this.#log = log;
  }

  /** Rejects all further requests: the storages are closed. */
  close(): void {
    this.#isClosed = true;
  }

  handle(request: ServerRequest, handler: Handler): Response | Promise<Response> {
    const incoming = new IncomingRequest(request, this.#trusts);
    try {
      if (this.#isClosed) throw new RpcError("draining");
      assertHeaders(incoming);
      assertAddress(request);
      const answer = handler(incoming);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: unknown) => this.#answerError(error, incoming));
    } catch (error) {
      return this.#answerError(error, incoming);
    }
  }

  #answerError(error: unknown, incoming: Incoming): Response {
    const { headers } = incoming.req;
    const redactor = this.#credentials.redactorFor(headers);
    const answer = toProblem(error, redactor, redactor.guard(this.#log));
    // Whether an origin is our own cannot be told of a request without a URL.
    if (hasAddress(incoming.req)) {
      this.#cors.describe(incoming, headers.get("origin"), undefined, answer.headers);
    }
    return toResponse(answer);
  }
}

/** Whether a request's `Host` makes a URL, which `x:99999` does not (RFC 9112, 3.2). */
export function hasAddress(request: ServerRequest): boolean {
  if (plainHost.test(request.headers.get("host") ?? "")) return true;
  try {
    // srvx may throw on it, too.
    return URL.canParse(request.url);
  } catch {
    return false;
  }
}

// --- Internal helpers ---

/**
 * Hosts for which no URL need be parsed, which takes as long as finding the shop and the method: names that are
 * no number, and no Punycode, which may be wrong; and the address of this machine.
 */
const plainHost =
  /^(?:127\.0\.0\.1|(?!\S*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*)(?::[1-5]?\d{1,4})?$/i;

/** Found later, when a URL is needed, it would fail a call that has run. */
function assertAddress(request: ServerRequest): void {
  if (hasAddress(request)) return;
  throw new RpcError("malformed_request", { detail: "The Host header is not a valid host" });
}
