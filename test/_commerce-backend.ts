import { RpcError } from "../rpc/error.ts";
import type {
  CommerceBackend,
  CommerceBasket,
  CommerceLine,
  CommerceWish,
  CommerceWishlist,
} from "../rpc/commerce/commerce-backend.ts";
import { defineCommerceMethod } from "../rpc/commerce/commerce-method.ts";
import type { Grant, LoginVisit, Visit } from "../rpc/commerce/visit.ts";

/** The grant that the system of `_commerce-system.ts` issues. */
export interface TestGrant extends Grant {
  readonly token: string;
}

export interface TestLine extends CommerceLine {
  readonly price: number;
}

export interface TestBasket extends CommerceBasket {
  readonly items: readonly TestLine[];
  readonly total: number;
  readonly coupons: readonly string[];
}

export interface TestWishlist extends CommerceWishlist {
  readonly items: readonly (CommerceWish & { readonly isNew: boolean })[];
}

type V = Visit<TestGrant>;

/** The adapter of the system in `_commerce-system.ts`. */
export function createTestBackend({
  url,
  kind,
  timeout = 1,
}: {
  readonly url: string;
  readonly kind: "joins" | "carts";
  readonly timeout?: number;
}) {
  async function send(visit: V, method: string, path: string, body?: object) {
    const { grant } = visit;
    const response = await visit.fetch(url + path, {
      method,
      headers: {
        "content-type": "application/json",
        ...(grant && { authorization: `Bearer ${grant.token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (response.status === 401 && path !== "/login") throw new RpcError("session_ended");
    return { status: response.status, body: (await response.json()) as never };
  }

  async function read(visit: V): Promise<TestBasket> {
    if (visit.grant === undefined) return { items: [], total: 0, coupons: [] };
    const { status, body } = await send(visit, "GET", "/cart");
    if (status !== 200) throw new RpcError("commerce_failed", { detail: `Status ${status}` });
    return body;
  }

  async function readWishes(visit: V): Promise<TestWishlist> {
    if (visit.grant === undefined) return { items: [] };
    const { wishes } = (await send(visit, "GET", "/wishes")).body as { wishes: string[] };
    return {
      items: wishes.map((variantId) => ({ key: `wish-${variantId}`, variantId, isNew: true })),
    };
  }

  async function signIn(
    credentials: { email: string; password: string },
    visit: LoginVisit<TestGrant>,
  ) {
    const { status, body } = await send(visit, "POST", "/login", credentials);
    if (status !== 200) return undefined;
    const { email, token } = body as { email: string; token: string };
    visit.setGrant({ token });
    return { id: email, email };
  }

  async function setCode(visit: V, method: "POST" | "DELETE", code: string): Promise<TestBasket> {
    const { status, body } = await send(visit, method, "/cart/coupons", { code });
    if (status === 200) return body;
    throw new RpcError("unknown_coupon", { status: 422, title: "There is no such coupon" });
  }

  const methods = {
    placeOrder: defineCommerceMethod({
      async handler(_, visit: V) {
        const { body } = await send(visit, "POST", "/orders");
        return body as { order: TestBasket };
      },
    }),
    countLines: defineCommerceMethod({
      readOnly: true,
      handler: async (_, visit: V) => (await read(visit)).items.length,
    }),
  };

  return {
    name: "test",
    timeout,
    methods,
    grants: {
      begin: async (visit) => (await send(visit, "POST", "/sessions")).body as TestGrant,
      end: async (visit) => void (await send(visit, "DELETE", "/sessions")),
    },
    accounts: {
      login: signIn,
      async register({ email, password }, visit) {
        const { status } = await send(visit, "POST", "/customers", { email, password });
        const user = status === 200 ? await signIn({ email, password }, visit) : undefined;
        if (user === undefined) throw new RpcError("email_taken");
        return user;
      },
      changePassword: async () => false,
    },
    baskets: {
      joinsAtLogin: kind === "joins",
      read,
      async set({ targets, seen }, visit) {
        let basket = seen;
        const short: { variantId: string | number; reason: string; quantity: number }[] = [];
        for (const { variantId, quantity } of targets) {
          const line = basket.items.find((item) => item.variantId === String(variantId));
          if (line === undefined && quantity === 0) continue;
          const method = line === undefined ? "POST" : "PUT";
          const { status, body } = await send(visit, method, `/cart/lines/${variantId}`, {
            quantity,
          });
          if (status === 404) throw new RpcError("unknown_item");
          basket = body;
          if (status !== 409) continue;
          const left = basket.items.find((item) => item.variantId === String(variantId));
          short.push({ variantId, reason: "out_of_stock", quantity: left?.quantity ?? 0 });
        }
        return short.length === 0 ? { basket } : { basket, short };
      },
      addCode: (code, visit) => setCode(visit, "POST", code),
      removeCode: (code, visit) => setCode(visit, "DELETE", code),
    },
    wishlists: {
      read: readWishes,
      async set({ targets }, visit) {
        for (const { variantId, isWanted } of targets) {
          await send(visit, isWanted ? "PUT" : "DELETE", `/wishes/${variantId}`);
        }
        return readWishes(visit);
      },
    },
  } satisfies CommerceBackend<TestGrant, TestBasket, TestWishlist>;
}
