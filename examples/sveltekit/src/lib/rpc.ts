import { createRpcClient } from "storefront-core/client";
import type { Methods } from "./server/storefront";

/** @param fetch the `fetch` of a load function. Default: the browser's */
export function createRpc(fetch = globalThis.fetch) {
  // A change has a random key in its headers, so SvelteKit would send it again in the browser.
  return createRpcClient<Methods>({ baseURL: "", shopId: 1001, fetch, reads: ["greet"] });
}
