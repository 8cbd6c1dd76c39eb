import { defineCommerceMethod, RpcError } from "../server/index.ts";
import { activeOrder } from "./vendure-baskets.ts";
import {
  addressInput,
  codeInput,
  customerInput,
  idInput,
  pageInput,
  paymentInput,
} from "./vendure-inputs.ts";
import {
  addPayment,
  orderByCode,
  orders,
  paymentMethods,
  setBillingAddress,
  setCustomer,
  setShippingAddress,
  setShippingMethod,
  shippingMethods,
  transition,
} from "./vendure-operations.ts";
import { toBasket, toOrder, type VendureBasket, type VendureOrder } from "./vendure-order.ts";
import type { VendureRequest, VendureVisit } from "./vendure-request.ts";

/** The methods of the checkout. Those that change the order run while no other call changes the visitor's basket. */
export function createVendureCheckout({ request }: VendureRequest) {
  return {
    /** Names the customer of a guest's order. A logged-in user's order has one. */
    setCustomer: defineCommerceMethod({
      input: customerInput,
      handler: ({ email, ...name }, visit: VendureVisit) =>
        change(visit, setCustomer, { input: { emailAddress: email, ...name } }),
    }),

    setShippingAddress: defineCommerceMethod({
      input: addressInput,
      handler: (input, visit: VendureVisit) => change(visit, setShippingAddress, { input }),
    }),

    setBillingAddress: defineCommerceMethod({
      input: addressInput,
      handler: (input, visit: VendureVisit) => change(visit, setBillingAddress, { input }),
    }),

    /** @returns the methods by which the active order can be shipped */
    getShippingMethods: defineCommerceMethod({
      readOnly: true,
      handler: (_, visit: VendureVisit) => request(visit, shippingMethods),
    }),

    setShippingMethod: defineCommerceMethod({
      input: idInput,
      handler: (input, visit: VendureVisit) =>
        change(visit, setShippingMethod, { ids: [String(input.id)] }),
    }),

    getPaymentMethods: defineCommerceMethod({
      readOnly: true,
      handler: (_, visit: VendureVisit) => request(visit, paymentMethods),
    }),

    /** Fixes the order, so that an amount can be paid at a provider. `cancelPayment` lets it be changed again. */
    startPayment: defineCommerceMethod({
      handler: (_, visit: VendureVisit) => change(visit, transition, { state: "ArrangingPayment" }),
    }),

    cancelPayment: defineCommerceMethod({
      handler: (_, visit: VendureVisit) => change(visit, transition, { state: "AddingItems" }),
    }),

    /**
     * Pays the active order by a payment method, whose handler in Vendure gets `metadata`. With the `orderCode` of the
     * basket, a call that is repeated after its response was lost returns the placed order.
     */
    pay: defineCommerceMethod({
      input: paymentInput,
      async handler({ method, metadata = {}, orderCode }, visit: VendureVisit) {
        const active = await request(visit, activeOrder);
        if (orderCode !== undefined && active?.code !== orderCode) {
          const placed = await findOrder(visit, orderCode);
          if (placed !== undefined && !placed.active) return { order: placed };
          const basket = toBasket(active, visit.shop.currency);
          throw new RpcError("basket_changed", { data: { basket } });
        }
        if (active?.state === "AddingItems") {
          await change(visit, transition, { state: "ArrangingPayment" });
        }
        const input = { method, metadata };
        return { order: toOrder(await request(visit, { ...addPayment, variables: { input } })) };
      },
    }),

    /** @returns the user's orders, the newest first */
    getOrders: defineCommerceMethod({
      access: "user",
      readOnly: true,
      input: pageInput,
      async handler(page, visit: VendureVisit) {
        const found = await request(visit, { ...orders, variables: page ?? {} });
        return (found?.orders.items ?? []).map(toOrder);
      },
    }),

    /** @returns a placed order of the user; in the first two hours, any order whose code the visitor knows */
    getOrder: defineCommerceMethod({
      readOnly: true,
      input: codeInput,
      async handler(input, visit: VendureVisit) {
        const found = await findOrder(visit, input.code);
        if (found === undefined) throw new RpcError("unknown_item");
        return { order: found };
      },
    }),
  };

  async function change(
    visit: VendureVisit,
    operation: typeof setCustomer,
    variables: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly basket: VendureBasket }> {
    const changed = await request(visit, { ...operation, variables });
    return { basket: toOrder(changed) };
  }

  /** @returns `undefined` if there is none, or the visitor may not see it */
  async function findOrder(visit: VendureVisit, code: string): Promise<VendureOrder | undefined> {
    try {
      const found = await request(visit, { ...orderByCode, variables: { code } });
      return found === null ? undefined : toOrder(found);
    } catch (error) {
      if (error instanceof RpcError && error.code === "forbidden") return undefined;
      throw error;
    }
  }
}
