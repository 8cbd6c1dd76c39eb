import * as z from "zod/mini";
import { customData, itemKey, productReference, quantity, revision } from "./fields.ts";

/* The payloads of the methods of baskets and wishlists, wherever these are. */

const line = z.strictObject({
  variantId: productReference,
  quantity,
  customData: z.optional(customData),
});

export const lineInput = z.extend(line, { revision });

export const linesInput = z.strictObject({
  items: z.array(line).check(z.minLength(1), z.maxLength(1000)),
  revision,
});

export const lineChangeInput = z.strictObject({
  itemKey,
  quantity: z.optional(quantity),
  customData: z.optional(customData),
  revision,
});

export const itemKeyInput = z.strictObject({ itemKey, revision });

export const clearInput = z.nullish(z.strictObject({ revision }));

export const wishInput = z.union(
  [
    z.strictObject({ variantId: productReference }),
    z.strictObject({ productId: productReference }),
  ],
  { error: "Expected either a variantId or a productId: a positive integer or a short string" },
);

export const wishKeyInput = z.strictObject({ itemKey });
