import { logout } from "../methods/account-methods.ts";
import { RpcError } from "../error.ts";
import type { RpcMethod } from "../method.ts";

/**
 * Rejects a call whose session ID was replaced or ended a moment ago, before it changes anything as a guest's call.
 * @throws RpcError `session_changed`, `session_ended`
 */
export function assertRunsWithout(gone: "retired" | "ended", method: RpcMethod): void {
  if (method.signsIn) return;
  if (gone === "retired") {
    const detail = "A login or another change replaced the session ID. Send the request again.";
    throw new RpcError("session_changed", { detail, executed: false });
  }
  // A client can end a session that has ended.
  if (method.readOnly || method === logout) return;
  const detail = "A logout or a revocation ended the session. Nothing was changed.";
  throw new RpcError("session_ended", { detail, executed: false });
}
