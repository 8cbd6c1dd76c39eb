import * as z from "zod/mini";
import { itemKey, productReference } from "./fields.ts";

/* The payloads of the wishlist's methods, wherever the wishlists are. */

export const wishInput = z.union(
  [
    z.strictObject({ variantId: productReference }),
    z.strictObject({ productId: productReference }),
  ],
  { error: "Expected either a variantId or a productId: a positive integer or a short string" },
);

export const wishKeyInput = z.strictObject({ itemKey });
