import type { ObservedCall, SessionState } from "../shared/observer.ts";
import { findTrace } from "../shared/trace-ids.ts";
import type { SessionLookup } from "./credentials/lookup.ts";
import type { HttpCall } from "./http-call.ts";
import type { RpcResponse } from "./response.ts";

/**
 * Describes a call that has ended, for telemetry.
 * @param operations the number of its storage operations, if they are counted
 */
export function toObservedCall(
  { event, shop, method, route, lookup, isCached, visit, id, span }: HttpCall,
  { status, code }: RpcResponse,
  seconds: number,
  operations: number | undefined,
): ObservedCall {
  // The session at the end of the call.
  const record = visit?.session.current?.record;
  return {
    shopId: shop?.shopId,
    method: method && route?.method,
    status,
    code,
    seconds,
    session: lookup && stateOf(lookup),
    isCached,
    handle: record?.user && record.handle,
    id,
    operations,
    trace: id === undefined ? undefined : findTrace(event.traceparent, span),
  };
}

// --- Internal helpers ---

function stateOf({ session, attempted, gone, reused }: SessionLookup): SessionState {
  if (session !== undefined) return "active";
  if (reused.length > 0) return "reused";
  if (gone !== undefined) return gone;
  return attempted.some(({ ids }) => ids.length > 0) ? "expired" : "none";
}
