import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { BasketTarget, CommerceBasket, CommerceLine } from "../server/index.ts";

const item = z.object({
  id: z.string(),
  variant_id: z.string(),
  quantity: z.number(),
  metadata: z.record(z.string(), z.unknown()).nullable(),
  unit_price: z.number(),
  total: z.number(),
  product_id: z.string(),
  product_title: z.string(),
  product_handle: z.string(),
  thumbnail: z.string().nullable(),
  variant_title: z.string(),
  variant_sku: z.string().nullable(),
});

const cart = z.object({
  id: z.string(),
  completed_at: z.string().nullable(),
  currency_code: z.string(),
  item_total: z.number(),
  shipping_total: z.number(),
  discount_total: z.number(),
  tax_total: z.number(),
  total: z.number(),
  promotions: z.array(z.object({ code: z.string() })),
  items: z.array(item),
});

export const cartBody = z.object({ cart });

export type MedusaCart = z.output<typeof cart>;

type Item = z.output<typeof item>;

/** A cart, with the names of Medusa. Amounts are in the currency's main unit, not rounded: `10.5` is 10.50 EUR. */
export interface MedusaBasket
  extends CommerceBasket, Readonly<Omit<MedusaCart, "id" | "completed_at" | "items">> {
  readonly items: readonly MedusaLine[];
}

export interface MedusaLine
  extends CommerceLine, Readonly<Omit<Item, "id" | "variant_id" | "metadata">> {
  readonly variantId: string;
  /** The units in stock; absent if Medusa doesn't count them for this variant, or accepts backorders. */
  readonly stock?: number;
}

/** The path of a cart, with the fields that {@link cartBody} needs. */
export function toCartPath(id: string, rest = ""): string {
  return `/store/carts/${encodeURIComponent(id)}${rest}?fields=${fields}`;
}

/** Medusa adds to an equal line in the same way: of the same variant, with the same metadata. */
export function findLine(
  { items }: MedusaCart,
  { variantId, customData = {} }: BasketTarget,
): Item | undefined {
  return items.find(
    (line) =>
      line.variant_id === String(variantId) && isDeepStrictEqual(line.metadata ?? {}, customData),
  );
}

/** The ID stays here, because it is all that Medusa wants to see or change a cart. @param stock the units of each variant */
export function toBasket(found: MedusaCart, stock: ReadonlyMap<string, number>): MedusaBasket {
  const { id: _, completed_at: __, items, ...shown } = found;
  return { ...shown, items: items.map((line) => toLine(line, stock.get(line.variant_id))) };
}

export function createEmptyBasket(currency: string): MedusaBasket {
  return {
    currency_code: currency.toLowerCase(),
    item_total: 0,
    shipping_total: 0,
    discount_total: 0,
    tax_total: 0,
    total: 0,
    promotions: [],
    items: [],
  };
}

// --- Internal helpers ---

const { items: _, promotions: __, ...scalars } = cart.shape;
const fields = [
  ...Object.keys(scalars),
  "promotions.code",
  ...Object.keys(item.shape).map((name) => `items.${name}`),
].join();

function toLine(
  { id: key, variant_id: variantId, metadata, ...shown }: Item,
  stock: number | undefined,
): MedusaLine {
  const hasData = metadata !== null && Object.keys(metadata).length > 0;
  return {
    key,
    variantId,
    ...shown,
    ...(hasData && { customData: metadata }),
    ...(stock !== undefined && { stock }),
  };
}
