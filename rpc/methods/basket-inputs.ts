import * as z from "zod";
import { customData, itemKey, productReference, quantity, revision } from "./fields.ts";

/* The payloads of the basket's methods, wherever the baskets are. */

const line = z.strictObject({
  variantId: productReference,
  quantity,
  customData: customData.optional(),
});

export const lineInput = line.extend({ revision });

export const linesInput = z.strictObject({ items: z.array(line).min(1).max(1000), revision });

export const lineChangeInput = z.strictObject({
  itemKey,
  quantity: quantity.optional(),
  customData: customData.optional(),
  revision,
});

export const itemKeyInput = z.strictObject({ itemKey, revision });

export const clearInput = z.strictObject({ revision }).nullish();
