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
  const isToken = createTokenCheck(adminTokens);
  return (event: RequestEvent, call: string): void => {
    if (isToken(readBearer(event.req.headers))) return;
    log.warn("An admin call was rejected", { call, ip: event.ip });
    throw new RpcError("not_an_operator", { headers: { "www-authenticate": "Bearer" } });
  };
}

/** Creates a check of tokens. Digests have one length, so a comparison takes the same time for every token. */
export function createTokenCheck(
  tokens: readonly string[],
): (given: string | undefined) => boolean {
  const digests = tokens.map(digest);
  return (given) => {
    const found = digest(given ?? "");
    return given !== undefined && digests.some((expected) => timingSafeEqual(expected, found));
  };
}

// --- Internal helpers ---

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
