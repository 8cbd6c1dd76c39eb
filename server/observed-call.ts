import type { ObservedCall, SessionState } from "../shared/observer.ts";
import type { TraceIds } from "../shared/trace-ids.ts";
import type { SessionRecord } from "../storage/sessions/session-record.ts";
import type { Shop } from "./config/options.ts";
import type { SessionLookup } from "./credentials/lookup.ts";
import type { RpcResponse } from "./response.ts";

/** Describes a call that has ended, for telemetry. */
export function toObservedCall({
  shop,
  method,
  response: { status, code },
  seconds,
  lookup,
  isCached,
  record,
  id,
  operations,
  trace,
}: {
  readonly shop: Shop | undefined;
  readonly method: string | undefined;
  readonly response: RpcResponse;
  readonly seconds: number;
  readonly lookup: SessionLookup | undefined;
  readonly isCached: boolean;
  /** The session at the end of the call. */
  readonly record: SessionRecord | undefined;
  readonly id: string | undefined;
  readonly operations: number | undefined;
  readonly trace: TraceIds | undefined;
}): ObservedCall {
  return {
    shopId: shop?.shopId,
    method,
    status,
    code,
    seconds,
    session: lookup && stateOf(lookup),
    isCached,
    handle: record?.user && record.handle,
    id,
    operations,
    trace,
  };
}

// --- Internal helpers ---

function stateOf({ session, attempted, gone, reused }: SessionLookup): SessionState {
  if (session !== undefined) return "active";
  if (reused.length > 0) return "reused";
  if (gone !== undefined) return gone;
  return attempted.some(({ ids }) => ids.length > 0) ? "expired" : "none";
}
