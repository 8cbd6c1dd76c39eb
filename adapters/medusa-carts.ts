import * as z from "zod";
import { cartBody, toCartPath, type MedusaCart } from "./medusa-cart.ts";
import { sessionEnded, toError, type MedusaRequest, type MedusaVisit } from "./medusa-request.ts";

/**
 * Finds and creates the carts of guests and customers. Medusa finds a cart only by its ID: a guest's grant has it, and
 * a customer's metadata, so that all devices find the same cart.
 */
export function createMedusaCarts({ send, request }: MedusaRequest, regionId: string) {
  /** @returns the ID of a new cart */
  async function create(visit: MedusaVisit): Promise<string> {
    const body = { region_id: regionId };
    const { cart } = await request(visit, { path: "/store/carts?fields=id", body, result: idBody });
    return cart.id;
  }

  return {
    create,

    /** @returns `undefined` if the visitor has no cart, or has placed its order */
    async find(visit: MedusaVisit): Promise<MedusaCart | undefined> {
      const id = await findId(visit);
      if (id === undefined) return undefined;
      const { result, rejection } = await send(visit, { path: toCartPath(id), result: cartBody });
      if (rejection?.status === 404) return undefined;
      if (rejection !== undefined) throw toError(rejection);
      return result.cart.completed_at === null ? result.cart : undefined;
    },

    /**
     * Creates a customer's first cart. The storefront changes a basket in one call at a time, so no parallel
     * call creates another one.
     * @throws RpcError `session_ended` for a guest: a new grant has a new cart
     */
    async open(visit: MedusaVisit): Promise<MedusaCart> {
      if (visit.grant?.token === undefined) throw sessionEnded();
      const id = await create(visit);
      const body = { metadata: { [toMetadataKey(visit)]: id } };
      await request(visit, { path: customerPath, body, result: customerBody });
      return (await request(visit, { path: toCartPath(id), result: cartBody })).cart;
    },
  };

  async function findId(visit: MedusaVisit): Promise<string | undefined> {
    if (visit.grant?.token === undefined) return visit.grant?.cartId;
    const operation = { path: customerPath, result: customerBody };
    const { result, rejection } = await send(visit, operation);
    // The customer was deleted.
    if (rejection?.status === 404) throw sessionEnded();
    if (rejection !== undefined) throw toError(rejection);
    const id = result.customer.metadata?.[toMetadataKey(visit)];
    return typeof id === "string" ? id : undefined;
  }
}

// --- Internal helpers ---

const idBody = z.object({ cart: z.object({ id: z.string() }) });

const customerPath = "/store/customers/me?fields=metadata";
const customerBody = z.object({
  customer: z.object({ metadata: z.record(z.string(), z.unknown()).nullable() }),
});

/** The key of the cart's ID in the customer's metadata. Each shop has its own baskets. */
function toMetadataKey({ shop }: MedusaVisit): string {
  return `storefront_cart_${shop.shopId}`;
}
