import * as z from "zod/mini";
import { trimmedText } from "../schema.ts";
import type { CallSession } from "../session/call-session.ts";
import { RpcError } from "../error.ts";
import type { CustomData } from "../lists/basket-line.ts";
import {
  clearInput,
  itemKeyInput,
  lineChangeInput,
  lineInput,
  linesInput,
} from "../methods/list-inputs.ts";
import { planAdds, planClear, planRemoval, planUpdate } from "./basket-plan.ts";
import { changeCommerceBasket, readCommerceBasket, runChange, type Plan } from "./call-basket.ts";
import { withRevision, type Revised } from "./basket-revision.ts";
import type { BasketOutcome, BasketTarget, CommerceBasket } from "./commerce-backend.ts";
import { withOwnKeys } from "../idempotency/idempotency-key.ts";
import { defineCallMethod } from "./commerce-method.ts";

/*
 * The basket's methods in shops whose baskets are in a commerce system. They have the payloads of the built-in ones. The
 * result has the basket of the system's adapter.
 */

const getBasket = defineCallMethod({ readOnly: true }, (_, session) => readCommerceBasket(session));

const addItemToBasket = defineCallMethod(
  { verb: "PUT", input: lineInput },
  async (line, session) => {
    const added = toTarget(line);
    const { isVain, ...result } = await changeCommerceBasket(
      session,
      (seen, options) => planAdds(seen, [added], options, () => ["quantity"]),
      { revision: line.revision, added: line.quantity },
    );
    if (isVain) throw new RpcError("out_of_stock", { data: result });
    return result;
  },
);

const addItemsToBasket = defineCallMethod(
  { verb: "PUT", input: linesInput },
  async ({ items, revision }, session) => {
    const added = items.map(toTarget);
    return change(session, revision, (found, options) =>
      planAdds(found, added, options, (index) => ["items", index, "quantity"]),
    );
  },
);

const updateBasketItem = defineCallMethod(
  { verb: "PUT", input: lineChangeInput },
  (input, session) => {
    const { itemKey, quantity, customData } = input;
    const next = { quantity, customData: parseData(customData) };
    return change(session, input.revision, (found, options) =>
      planUpdate(found, itemKey, next, options),
    );
  },
);

const removeItemFromBasket = defineCallMethod(
  { verb: "DELETE", input: itemKeyInput },
  ({ itemKey, revision }, session) =>
    change(session, revision, (found) => planRemoval(found, itemKey)),
);

const clearBasket = defineCallMethod({ verb: "DELETE", input: clearInput }, (input, session) =>
  change(session, input?.revision, planClear),
);

export const commerceBasketMethods = {
  getBasket,
  addItemToBasket: withOwnKeys(addItemToBasket),
  addItemsToBasket: withOwnKeys(addItemsToBasket),
  updateBasketItem: withOwnKeys(updateBasketItem),
  removeItemFromBasket: withOwnKeys(removeItemFromBasket),
  clearBasket: withOwnKeys(clearBasket),
};

const couponInput = z.strictObject({ code: trimmedText(64) });

/** The methods for coupon codes, if the system has such codes. */
export const couponMethods = {
  addCouponCode: defineCallMethod({ input: couponInput }, ({ code }, session) =>
    changeCode(session, "addCode", code),
  ),
  removeCouponCode: defineCallMethod({ input: couponInput }, ({ code }, session) =>
    changeCode(session, "removeCode", code),
  ),
};

// --- Internal helpers ---

/** Changes the basket. Targets that the system didn't reach are in the result. */
async function change(
  session: CallSession,
  revision: number | undefined,
  plan: Plan,
): Promise<BasketOutcome<Revised<CommerceBasket>>> {
  const { isVain: _, ...result } = await changeCommerceBasket(session, plan, { revision });
  return result;
}

function changeCode(
  session: CallSession,
  name: "addCode" | "removeCode",
  code: string,
): Promise<{ readonly basket: Revised<CommerceBasket> }> {
  return runChange(session, async (visit) => {
    const basket = await session.services.commerce?.baskets?.[name]?.(code, visit);
    if (basket === undefined) throw new RpcError("unknown_method");
    return { basket: withRevision(basket) };
  });
}

function toTarget({ variantId, quantity, customData }: z.output<typeof lineInput>): BasketTarget {
  return customData === undefined
    ? { variantId, quantity }
    : { variantId, quantity, customData: parseData(customData) };
}

/** The input's custom data is canonical JSON. */
function parseData(json: string | undefined): CustomData | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as CustomData);
}
