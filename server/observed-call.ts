import type { ObservedCall, SessionState } from "../shared/observer.ts";
import type { Shop } from "./config/options.ts";
import type { SessionLookup } from "./credentials/lookup.ts";
import type { RpcResponse } from "./response.ts";

/** Describes a call that has ended, for telemetry. */
export function toObservedCall(
  seconds: number,
  shop: Shop | undefined,
  method: string | undefined,
  { status, code }: RpcResponse,
  lookup: SessionLookup | undefined,
  isCached: boolean,
): ObservedCall {
  return {
    shopId: shop?.shopId,
    method,
    status,
    code,
    seconds,
    session: lookup && stateOf(lookup),
    isCached,
  };
}

// --- Internal helpers ---

function stateOf({ session, attempted, gone, reused }: SessionLookup): SessionState {
  if (session !== undefined) return "active";
  if (reused.length > 0) return "reused";
  if (gone !== undefined) return gone;
  return attempted.some(({ ids }) => ids.length > 0) ? "expired" : "none";
}
