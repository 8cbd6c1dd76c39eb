import * as z from "zod";
import { order, orderResult } from "./vendure-order.ts";
import { toSelection } from "./vendure-selection.ts";

/*
 * The operations of the checkout. Variables are added by each call.
 */

export const setCustomer = toChange("CreateCustomerInput!", "setCustomerForOrder");
export const setShippingAddress = toChange("CreateAddressInput!", "setOrderShippingAddress");
export const setBillingAddress = toChange("CreateAddressInput!", "setOrderBillingAddress");

export const setShippingMethod = {
  query: `mutation($ids: [ID!]!) { r: setOrderShippingMethod(shippingMethodId: $ids) ${orderResult} }`,
  result: order,
};

export const transition = {
  query: `mutation($state: String!) { r: transitionOrderToState(state: $state) ${withDetails("... on OrderStateTransitionError { detail: transitionError }")} }`,
  result: order,
};

export const addPayment = {
  query: `mutation($input: PaymentInput!) { r: addPaymentToOrder(input: $input) ${withDetails(
    "... on PaymentDeclinedError { detail: paymentErrorMessage }",
    "... on OrderStateTransitionError { detail: transitionError }",
  )} }`,
  result: order,
};

const shippingMethod = z.object({
  id: z.string(),
  code: z.string(),
  name: z.string(),
  description: z.string(),
  priceWithTax: z.number(),
});
export const shippingMethods = {
  query: `{ r: eligibleShippingMethods ${toSelection(shippingMethod)} }`,
  result: z.array(shippingMethod),
};

const paymentMethod = z.object({
  id: z.string(),
  code: z.string(),
  name: z.string(),
  description: z.string(),
  isEligible: z.boolean(),
  eligibilityMessage: z.string().nullable(),
});
export const paymentMethods = {
  query: `{ r: eligiblePaymentMethods ${toSelection(paymentMethod)} }`,
  result: z.array(paymentMethod),
};

export const orders = {
  query: `query($skip: Int, $take: Int) { r: activeCustomer { orders(options: { skip: $skip, take: $take, filter: { active: { eq: false } }, sort: { orderPlacedAt: DESC } }) { items ${toSelection(order)} } } }`,
  result: z.object({ orders: z.object({ items: z.array(order) }) }).nullable(),
};

export const orderByCode = {
  query: `query($code: String!) { r: orderByCode(code: $code) ${toSelection(order)} }`,
  result: order.nullable(),
};

// --- Internal helpers ---

function toChange(type: string, field: string) {
  return {
    query: `mutation($input: ${type}) { r: ${field}(input: $input) ${orderResult} }`,
    result: order,
  };
}

/** @param fragments with an alias `detail`, which the error gets */
function withDetails(...fragments: readonly string[]): string {
  return `{ ${fragments.join(" ")} ${orderResult.slice(1)}`;
}
