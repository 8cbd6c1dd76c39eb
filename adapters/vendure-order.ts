import * as z from "zod";
import { toResult } from "./vendure-selection.ts";
import type { BasketTarget, CommerceBasket, CommerceLine } from "../server/index.ts";

const line = z.object({
  id: z.string(),
  quantity: z.number(),
  unitPriceWithTax: z.number(),
  linePriceWithTax: z.number(),
  discountedLinePriceWithTax: z.number(),
  featuredAsset: z.object({ preview: z.string() }).nullable(),
  productVariant: z.object({
    id: z.string(),
    name: z.string(),
    sku: z.string(),
    stockLevel: z.string(),
    product: z.object({ id: z.string(), name: z.string(), slug: z.string() }),
  }),
});

const address = z.object({
  fullName: z.string().nullable(),
  company: z.string().nullable(),
  streetLine1: z.string().nullable(),
  streetLine2: z.string().nullable(),
  postalCode: z.string().nullable(),
  city: z.string().nullable(),
  province: z.string().nullable(),
  countryCode: z.string().nullable(),
  phoneNumber: z.string().nullable(),
});

/** An order as Vendure sends it. */
export const order = z.object({
  code: z.string(),
  state: z.string(),
  active: z.boolean(),
  orderPlacedAt: z.string().nullable(),
  currencyCode: z.string(),
  totalQuantity: z.number(),
  subTotalWithTax: z.number(),
  shippingWithTax: z.number(),
  totalWithTax: z.number(),
  couponCodes: z.array(z.string()),
  discounts: z.array(z.object({ description: z.string(), amountWithTax: z.number() })),
  shippingAddress: address.nullable(),
  shippingLines: z.array(
    z.object({ shippingMethod: z.object({ id: z.string(), name: z.string() }) }),
  ),
  lines: z.array(line),
});

type Order = z.output<typeof order>;

/** An order, with the names of Vendure. Amounts are in the currency's minor unit: `1050` is 10.50 EUR. */
export interface VendureOrder extends CommerceBasket, Readonly<Omit<Order, "lines">> {
  readonly items: readonly VendureLine[];
}

/** The active order. Without one, `code` is empty. */
export type VendureBasket = VendureOrder;

export interface VendureLine extends CommerceLine, Readonly<Omit<z.output<typeof line>, "id">> {
  readonly variantId: string;
}

/** The selection of an operation whose result is an order or an error result. */
export const orderResult = toResult("Order", order);

export function toOrder({ lines, ...fields }: Order): VendureOrder {
  const items = lines.map(({ id: key, ...item }) => {
    return { key, variantId: item.productVariant.id, ...item };
  });
  return { ...fields, items };
}

export function toBasket(found: Order | null, currency: string): VendureBasket {
  return found === null ? { ...emptyOrder, currencyCode: currency } : toOrder(found);
}

export function findLine({ items }: VendureBasket, target: BasketTarget): VendureLine | undefined {
  return items.find(({ variantId }) => variantId === String(target.variantId));
}

// --- Internal helpers ---

const emptyOrder = {
  code: "",
  state: "AddingItems",
  active: true,
  orderPlacedAt: null,
  totalQuantity: 0,
  subTotalWithTax: 0,
  shippingWithTax: 0,
  totalWithTax: 0,
  couponCodes: [],
  discounts: [],
  shippingAddress: null,
  shippingLines: [],
  items: [],
};
