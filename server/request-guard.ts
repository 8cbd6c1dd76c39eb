import type { ServerRequest } from "srvx";
import { RpcError } from "../rpc/error.ts";
import type { Logger } from "../shared/log.ts";
import { toResponse } from "./response.ts";
import type { Cors } from "./cors.ts";
import type { Credentials } from "./credentials/credentials.ts";
import { assertHeaders } from "./header-limit.ts";
import { IncomingRequest, type Incoming } from "./request.ts";
import { toProblem } from "./problem.ts";
import type { ProxyTrust } from "./trusted-proxies.ts";

/** Handles an accepted request; can throw, or reject. */
export type Handler = (incoming: Incoming) => Response | Promise<Response>;

/**
 * Wraps the handler of every route: checks the headers first, and turns an error into problem+json.
 * The guard is part of the routes and not of the app, so it also applies if another app mounts the storefront.
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

  /** Rejects all further requests, because the storages are closed. */
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
    // Without a URL, the guard can't know whether an origin is our own.
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
 * Hosts that are valid without parsing a URL, which takes as long as finding the shop and the method: 127.0.0.1, and
 * names that are neither numbers nor Punycode, which can be invalid.
 */
const plainHost =
  /^(?:127\.0\.0\.1|(?!\S*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*)(?::[1-5]?\d{1,4})?$/i;

/** Without this check, an invalid host would fail a call after it has run. */
function assertAddress(request: ServerRequest): void {
  if (hasAddress(request)) return;
  throw new RpcError("malformed_request", { detail: "The Host header is not a valid host" });
}
