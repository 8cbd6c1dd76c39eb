import * as z from "zod";
import { RpcError, type Baskets, type BasketTarget, type Shortage } from "../server/index.ts";
import {
  cartBody,
  createEmptyBasket,
  findLine,
  toBasket,
  toCartPath,
  type MedusaBasket,
  type MedusaCart,
} from "./medusa-cart.ts";
import type { createMedusaCarts } from "./medusa-carts.ts";
import {
  toError,
  type MedusaGrant,
  type MedusaRequest,
  type MedusaVisit,
  type Rejection,
} from "./medusa-request.ts";

/** Carts as baskets. */
export function createMedusaBaskets(
  { send, request }: MedusaRequest,
  carts: ReturnType<typeof createMedusaCarts>,
): Baskets<MedusaGrant, MedusaBasket> {
  return {
    async read(visit) {
      return show(await carts.find(visit), visit);
    },

    async set({ targets }, visit) {
      // Not `seen`: a request that was late can have changed the cart since.
      let cart = await carts.find(visit);
      const short: Shortage[] = [];
      for (const target of targets) {
        if (cart === undefined && target.quantity === 0) continue;
        cart ??= await carts.open(visit);
        const { result, rejection } = await bring(target, cart, visit);
        if (rejection === undefined) {
          ({ cart } = result);
          continue;
        }
        const reason = toReason(rejection);
        if (reason === "out_of_stock") cart = await bringToStock(target, cart, visit);
        const quantity = findLine(cart, target)?.quantity ?? 0;
        short.push({ variantId: target.variantId, reason, quantity });
      }
      return { basket: await show(cart, visit), short };
    },

    addCode: (code, visit) => changeCodes(code, visit),
    removeCode: (code, visit) => changeCodes(code, visit, "DELETE"),
  };

  async function bring(
    target: BasketTarget,
    cart: MedusaCart,
    visit: MedusaVisit,
  ): ReturnType<typeof send<{ readonly cart: MedusaCart }>> {
    const { variantId, quantity, customData: metadata } = target;
    const line = findLine(cart, target);
    if ((line?.quantity ?? 0) === quantity) return { result: { cart } };
    const [path, body] =
      line === undefined
        ? [`/line-items`, { variant_id: String(variantId), quantity, metadata }]
        : [`/line-items/${line.id}`, { quantity }];
    const changed = await send(visit, { path: toCartPath(cart.id, path), body, result: cartBody });
    const isAdded = line === undefined && changed.rejection === undefined;
    // Medusa adds to an equal line. A late request can have created one in between.
    const isMade = isAdded && findLine(changed.result.cart, target) !== undefined;
    return isMade ? bring(target, changed.result.cart, visit) : changed;
  }

  /** Brings a line to as many units as there are, if that is at least one. */
  async function bringToStock(
    target: BasketTarget,
    cart: MedusaCart,
    visit: MedusaVisit,
  ): Promise<MedusaCart> {
    const variantId = String(target.variantId);
    const stock = (await readStock([variantId], visit)).get(variantId) ?? 0;
    const quantity = Math.min(stock, target.quantity);
    if (quantity < 1) return cart;
    const { result } = await bring({ ...target, quantity }, cart, visit);
    return result?.cart ?? cart;
  }

  async function changeCodes(
    code: string,
    visit: MedusaVisit,
    method?: "DELETE",
  ): Promise<MedusaBasket> {
    const cart = (await carts.find(visit)) ?? (await carts.open(visit));
    const path = toCartPath(cart.id, "/promotions");
    const operation = { path, body: { promo_codes: [code] }, result: cartBody };
    const { result, rejection } = await send(visit, { ...operation, ...(method && { method }) });
    if (rejection === undefined) return show(result.cart, visit);
    if (rejection.type !== "invalid_data") throw toError(rejection);
    const title = rejection.message ?? "The coupon code is invalid";
    throw new RpcError("coupon_code_invalid", { status: 422, title });
  }

  async function show(cart: MedusaCart | undefined, visit: MedusaVisit): Promise<MedusaBasket> {
    if (cart === undefined) return createEmptyBasket(visit.shop.currency);
    const ids = new Set(cart.items.map((line) => line.variant_id));
    return toBasket(cart, ids.size === 0 ? new Map() : await readStock([...ids], visit));
  }

  async function readStock(
    ids: readonly string[],
    visit: MedusaVisit,
  ): Promise<ReadonlyMap<string, number>> {
    const query = new URLSearchParams({ fields: stockFields, limit: String(ids.length) });
    for (const id of ids) query.append("id[]", id);
    const path = `/store/product-variants?${query}`;
    const { variants } = await request(visit, { path, result: variantsBody });
    const counted = variants.filter((found) => found.manage_inventory && !found.allow_backorder);
    return new Map(counted.map((found) => [found.id, found.inventory_quantity]));
  }
}

// --- Internal helpers ---

const stockFields = "id,manage_inventory,allow_backorder,+inventory_quantity";
const variant = z.object({
  id: z.string(),
  manage_inventory: z.boolean(),
  allow_backorder: z.boolean(),
  inventory_quantity: z.number(),
});
const variantsBody = z.object({ variants: z.array(variant) });

/** @throws RpcError unless the variant is the reason */
function toReason(rejection: Rejection): string {
  if (rejection.code === "insufficient_inventory") return "out_of_stock";
  // The variant doesn't exist, isn't published, or has no price in the region.
  if (rejection.type === "invalid_data") return "unavailable";
  throw toError(rejection);
}
