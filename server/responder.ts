import type { ServerRequest } from "srvx";
import { RpcError } from "../rpc/error.ts";
import { Redactor } from "../rpc/redaction/redactor.ts";
import type { StorefrontOptions } from "./config/options.ts";
import type { Random } from "../storage/random.ts";
import type { Cors } from "./cors.ts";
import type { Credentials } from "./credentials/credentials.ts";
import type { Forwarded } from "./forwarded.ts";
import type { createProblems } from "./problem.ts";
import { RequestEvent } from "./request.ts";
import { toResponse } from "./response.ts";

/** The parts that decide about a request, for calls and for other requests. */
export interface RequestRules {
  readonly cors: Cors;
  readonly credentials: Credentials;
  readonly readForwarded: (request: ServerRequest) => Forwarded;
  readonly random: Random;
  readonly toProblem: ReturnType<typeof createProblems>;
  /** How far the server's shutdown is. Once it is closed, so are its storages. */
  readonly state: { readonly isDraining: boolean; readonly isClosed: boolean };
}

/**
 * Creates the function for health checks, admin calls and unknown paths. It never rejects: an error becomes
 * problem+json.
 */
export function createResponder(
  { log }: StorefrontOptions,
  { cors, credentials, readForwarded, toProblem, state }: RequestRules,
) {
  return async function respond(
    request: ServerRequest,
    handler: (event: RequestEvent) => Response | Promise<Response>,
  ): Promise<Response> {
    const event = new RequestEvent(request, readForwarded);
    try {
      if (state.isClosed) throw new RpcError("draining");
      event.assertValid();
      return await handler(event);
    } catch (error) {
      const redactor = new Redactor(() => credentials.findSecrets(event.headers));
      const response = toProblem(error, redactor, redactor.guard(log));
      cors.addHeaders(event, undefined, response.headers);
      return toResponse(response, request);
    }
  };
}
