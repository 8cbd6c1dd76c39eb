import { defineRpcMethod } from "storefront-core";
import * as z from "zod";

declare module "storefront-core" {
  interface SessionCustomData {
    name: string;
  }
}

/** Stores the visitor's name in the session. */
export const setName = defineRpcMethod({
  input: z.strictObject({ name: z.string().min(1).max(40) }),
  handler: ({ name }, { updateCustomData }) => updateCustomData({ name }),
});
