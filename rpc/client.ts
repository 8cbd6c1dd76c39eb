/**
 * The typed client for frontends.
 * @module storefront-core/client
 */
import { createClient } from "./client/create-client.ts";
import type { RpcClient, RpcClientOptions } from "./client-types.ts";
import type { RpcMethods } from "./method.ts";

export { RpcClientError } from "./client/result.ts";
export type { RpcCallOptions, RpcClient, RpcClientOptions, TokenStore } from "./client-types.ts";
export type { Issue } from "./error.ts";
/** A part of the inferred types of results, so other packages must be able to name it. */
export type { JsonValue } from "type-fest";

/**
 * Creates a client for the methods of a server, typed by them: `createRpcClient<typeof methods>(…)`. It sends cookies,
 * and repeats a call if that is safe: see docs/client.md.
 * @throws from calls: {@link RpcClientError}; the reason of their signal; or the error of `fetch` if no response came
 */
export function createRpcClient<Methods extends RpcMethods>(
  options: RpcClientOptions,
): RpcClient<Methods> {
  return createClient(options, createKey);
}

// --- Internal helpers ---

/** A random UUID. Without HTTPS, browsers have no `randomUUID`. */
function createKey(): string {
  // oxlint-disable-next-line no-restricted-properties -- this runs in browsers
  return crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
}
