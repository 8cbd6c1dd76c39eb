import { defineRpcMethod, defineStorefrontConfig } from "storefront-core";
import config, { methods as own } from "./own.config.ts";

export const methods = {
  ...own,
  showAddress: defineRpcMethod({ readOnly: true, handler: (_, { ip }) => ip ?? null }),
};

export default defineStorefrontConfig({ ...config, methods });
