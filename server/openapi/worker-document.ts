import { RpcError } from "../../rpc/error.ts";

/** In a worker, whose bundle doesn't contain the code for the document. @throws RpcError `unknown_path` */
export function createDocument(): never {
  const detail =
    "A worker has no OpenAPI document. Get it from `storefront dev`, or from `storefront start` on Node";
  throw new RpcError("unknown_path", { detail });
}

/** A worker checks no results. */
export function findFault(): undefined {
  return undefined;
}

/** The doctor doesn't run in a worker. */
export function findUndescribed(): undefined {
  return undefined;
}
