import { createHash, timingSafeEqual } from "node:crypto";
import { RpcError } from "../rpc/error.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { readBearer } from "./credentials/bearer.ts";
import type { RequestEvent } from "./request.ts";

/**
 * Creates the check of the admin token, for admin calls and `/metrics`. It logs each rejected request.
 * @returns a function that throws RpcError `not_an_operator`
 */
export function createOperatorCheck({ adminTokens, log }: StorefrontOptions) {
  const digests = adminTokens.map(digest);
  return (event: RequestEvent, call: string): void => {
    if (isOperator(event, digests)) return;
    log.warn("An admin call was refused", { call, ip: event.ip });
    throw new RpcError("not_an_operator", { headers: { "www-authenticate": "Bearer" } });
  };
}

// --- Internal helpers ---

/** Compares digests in constant time. They all have the same length. */
function isOperator(event: RequestEvent, digests: readonly Buffer[]): boolean {
  const token = readBearer(event.req.headers);
  const given = digest(token ?? "");
  return token !== undefined && digests.some((expected) => timingSafeEqual(expected, given));
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
