import { createStorefront, defineRpcMethod, type BuiltinMethods } from "storefront-core";
import config, { methods as own } from "../../../storefront.config.ts";

const methods = {
  ...own,
  showAddress: defineRpcMethod({ readOnly: true, handler: (_, { ip }) => ip ?? null }),
};

export type Methods = BuiltinMethods & typeof methods;

export const storefront = createStorefront({ ...config, methods });
