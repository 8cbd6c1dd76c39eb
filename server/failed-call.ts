import { RpcError } from "../rpc/error.ts";
import { withDetails, type Logger } from "../shared/log.ts";
import { toCallIds } from "../shared/trace-ids.ts";
import type { CallResponses } from "./call-response.ts";
import { isClientGone } from "./client-signal.ts";
import type { HttpCall } from "./http-call.ts";
import type { ToProblem } from "./problem.ts";
import { isResponse, type RpcResponse } from "./response.ts";

/**
 * Creates the function that responds to a call that threw: with problem+json, or with the `Response` that its method
 * threw. With an `Idempotency-Key`, it first stores the response for repetitions.
 * @param storefrontLog for an error before the call has a log of its own
 */
export function createFailureResponder(
  storefrontLog: Logger,
  responses: CallResponses,
  toProblem: ToProblem,
): (error: unknown, current: HttpCall) => Promise<RpcResponse> {
  return async (error, current) => {
    const { call, idempotent, redactor, request } = current;
    const log = call?.log ?? toLog(current, storefrontLog);
    const reject = (problem: unknown) => toProblem(problem, redactor, log);
    const respond = (failure: unknown): RpcResponse => {
      if (isClientGone(failure, request)) {
        return reject(new RpcError("client_gone", { cause: failure }));
      }
      if (!isResponse(failure)) return reject(failure);
      try {
        return responses.of(current, failure, "no-store");
      } catch (unsendable) {
        return reject(unsendable);
      }
    };
    return idempotent === undefined ? respond(error) : idempotent.fail(error, respond);
  };
}

// --- Internal helpers ---

/** The log of a call that failed before its method was known. */
function toLog({ event, id, span, redactor }: HttpCall, log: Logger): Logger {
  const ids = toCallIds(id, event.traceparent, span);
  return redactor.guard(withDetails(log, ids));
}
