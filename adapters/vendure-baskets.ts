import * as z from "zod";
import { RpcError, type Baskets, type BasketTarget, type Shortage } from "../server/index.ts";
import { findLine, order, orderResult, toBasket, type VendureBasket } from "./vendure-order.ts";
import type { VendureGrant, VendureRequest, VendureVisit } from "./vendure-request.ts";
import { toSelection } from "./vendure-selection.ts";

/** Reads the active order. In a visit without a token, it begins a session of Vendure. */
export const activeOrder = {
  query: `{ r: activeOrder ${toSelection(order)} }`,
  result: order.nullable(),
};

/** The active order of the guest or the customer, as a basket. */
export function createVendureBaskets({
  request,
}: VendureRequest): Baskets<VendureGrant, VendureBasket> {
  return {
    joinsAtLogin: true,

    async read(visit) {
      // Without a token, the guest has no order. A read must not begin a session.
      const found = visit.grant === undefined ? null : await request(visit, activeOrder);
      return toBasket(found, visit.shop.currency);
    },

    async set({ targets, seen }, visit) {
      let basket = seen;
      const short: Shortage[] = [];
      for (const target of targets) {
        // After an `addItemToOrder` that was late, the line has more than the target, so it is adjusted once.
        for (
          let attempt = 0;
          attempt < 2 && quantityOf(basket, target) !== target.quantity;
          attempt++
        ) {
          const { order: changed, reason } = await bring(target, basket, visit);
          if (changed !== undefined) basket = toBasket(changed, visit.shop.currency);
          if (reason === undefined) continue;
          short.push({ variantId: target.variantId, reason, quantity: quantityOf(basket, target) });
          break;
        }
      }
      return { basket, short };
    },

    addCode: (code, visit) => changeCodes("applyCouponCode", code, visit),
    removeCode: (code, visit) => changeCodes("removeCouponCode", code, visit),
  };

  async function bring(target: BasketTarget, basket: VendureBasket, visit: VendureVisit) {
    if (target.customData !== undefined) {
      throw new RpcError("invalid_input", {
        detail: "The lines of this basket have no customData",
      });
    }
    const line = findLine(basket, target);
    const operation = line === undefined ? addition(target) : adjustment(line.key, target);
    try {
      const changed = await request(visit, operation);
      return "errorCode" in changed
        ? { order: changed.order, reason: "out_of_stock" }
        : { order: changed };
    } catch (error) {
      const isUnknown = error instanceof RpcError && error.code === "unknown_item";
      if (isUnknown && line === undefined) return { reason: "unavailable" };
      throw error;
    }
  }

  async function changeCodes(field: string, code: string, visit: VendureVisit) {
    const changed = await request(visit, {
      query: `mutation($code: String!) { r: ${field}(couponCode: $code) ${field === "applyCouponCode" ? orderResult : toSelection(order)} }`,
      variables: { code },
      result: order,
    });
    return toBasket(changed, visit.shop.currency);
  }
}

// --- Internal helpers ---

const insufficientStock = z.object({
  errorCode: z.literal("INSUFFICIENT_STOCK_ERROR"),
  order,
});
const changedOrder = z.union([order, insufficientStock]);

const result = `{ __typename ...Fields ... on ErrorResult { errorCode message } ... on InsufficientStockError { order { ...Fields } } } } fragment Fields on Order ${toSelection(order)}`;

function addition({ variantId, quantity }: BasketTarget) {
  return {
    query: `mutation($id: ID!, $quantity: Int!) { r: addItemToOrder(productVariantId: $id, quantity: $quantity) ${result}`,
    variables: { id: String(variantId), quantity },
    result: changedOrder,
  };
}

function adjustment(key: string, { quantity }: BasketTarget) {
  return {
    query: `mutation($id: ID!, $quantity: Int!) { r: adjustOrderLine(orderLineId: $id, quantity: $quantity) ${result}`,
    variables: { id: key, quantity },
    result: changedOrder,
  };
}

function quantityOf(basket: VendureBasket, target: BasketTarget): number {
  return findLine(basket, target)?.quantity ?? 0;
}
