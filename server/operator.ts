import { RpcError } from "../rpc/error.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { readBearer } from "./credentials/bearer.ts";
import { createTokenCheck } from "./credentials/token-check.ts";
import type { RequestEvent } from "./request.ts";

/**
 * Creates the check of the admin token, for admin calls and `/metrics`. It logs each rejected request.
 * @returns a function that throws RpcError `not_an_operator`
 */
export function createOperatorCheck({ adminTokens, log }: StorefrontOptions) {
  const isToken = createTokenCheck(adminTokens);
  return (event: RequestEvent, call: string): void => {
    if (isToken(readBearer(event.req.headers))) return;
    log.warn("An admin call was refused", { call, ip: event.ip });
    throw new RpcError("not_an_operator", { headers: { "www-authenticate": "Bearer" } });
  };
}
