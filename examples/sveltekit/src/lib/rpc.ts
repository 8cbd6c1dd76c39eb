import { createRpcClient } from "storefront-core/client";
import type { Methods } from "./server/storefront";

/** @param fetch the `fetch` of a load function. Default: the browser's */
export function createRpc(fetch = globalThis.fetch) {
  return createRpcClient<Methods>({ baseURL: "", shopId: 1001, fetch });
}
