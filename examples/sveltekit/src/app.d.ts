import type { RpcCaller } from "storefront-core";
import type { Methods } from "$lib/server/storefront";

declare global {
  namespace App {
    interface Locals {
      rpc: RpcCaller<Methods>;
    }
  }
}
