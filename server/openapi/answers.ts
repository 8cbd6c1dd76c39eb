import {
  commerceBasketMethods,
  couponMethods,
} from "../../rpc/commerce/commerce-basket-methods.ts";
import { commerceWishlistMethods } from "../../rpc/commerce/commerce-wishlist-methods.ts";
import type { RpcMethod, RpcMethods } from "../../rpc/method.ts";
import { builtinMethods, type BuiltinMethods } from "../../rpc/methods/builtin.ts";
import type { JsonSchema } from "./json-schema.ts";

/*
 * The results of the storefront's own methods. Only development servers and tests check results against them. Objects
 * are open, because a shop's own code can add fields to users, lines, and answers.
 */

const text: JsonSchema = { type: "string" };
const time: JsonSchema = { type: "integer", description: "Epoch milliseconds." };
const reference: JsonSchema = {
  description: "A positive integer, or a string of 1 to 64 characters.",
  anyOf: [
    { type: "integer", minimum: 1 },
    { type: "string", minLength: 1, maxLength: 64 },
  ],
};

function object(properties: Record<string, JsonSchema>, ...optional: string[]): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, ...(required.length > 0 && { required }) };
}

function list(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

function ref(name: keyof typeof answerSchemas): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

const key: JsonSchema = {
  type: ["string", "null"],
  description: "`null` until the first item is added.",
};

/** The parts that several results have, for `components.schemas`. */
export const answerSchemas = {
  User: {
    ...object(
      {
        id: reference,
        email: text,
        emailVerified: { type: "boolean" },
        firstName: text,
        lastName: text,
      },
      "email",
      "emailVerified",
      "firstName",
      "lastName",
    ),
    description: "A user. Your own accounts can add fields.",
    additionalProperties: true,
  },
  Basket: {
    ...object({
      key,
      items: list({ $ref: "#/components/schemas/BasketItem" }),
      itemCount: { type: "integer", description: "The sum of the quantities." },
      revision: {
        type: "integer",
        description: "A number for `If-Match`: it changes with the basket.",
      },
    }),
    additionalProperties: true,
  },
  BasketItem: {
    ...object(
      {
        key: text,
        variantId: reference,
        quantity: { type: "integer", minimum: 1 },
        customData: { type: "object", additionalProperties: true },
        addedAt: time,
      },
      "customData",
    ),
    additionalProperties: true,
  },
  Wishlist: {
    ...object({ key, items: list({ $ref: "#/components/schemas/WishlistItem" }) }),
    additionalProperties: true,
  },
  WishlistItem: {
    ...object(
      { key: text, variantId: reference, productId: reference, addedAt: time },
      "variantId",
      "productId",
    ),
    description: "An item with either a `variantId` or a `productId`.",
    additionalProperties: true,
  },
  CommerceBasket: {
    ...object({
      items: list({ $ref: "#/components/schemas/CommerceLine" }),
      revision: {
        type: "integer",
        description: "A number for `If-Match`: it changes with the basket.",
      },
    }),
    description: "A basket of the commerce system, which can add fields.",
    additionalProperties: true,
  },
  CommerceLine: {
    ...object(
      {
        key: text,
        variantId: reference,
        quantity: { type: "integer", minimum: 1 },
        customData: { type: "object", additionalProperties: true },
      },
      "customData",
    ),
    additionalProperties: true,
  },
  CommerceWishlist: {
    ...object({ items: list({ $ref: "#/components/schemas/CommerceWish" }) }),
    description: "A wishlist of the commerce system, which can add fields.",
    additionalProperties: true,
  },
  CommerceWish: {
    ...object({ key: text, variantId: reference, productId: reference }, "variantId", "productId"),
    additionalProperties: true,
  },
  MergeReport: {
    ...object({
      status: { type: "string", enum: ["none", "merged", "pending"] },
      lines: list(
        object(
          {
            variantId: reference,
            productId: reference,
            quantity: { type: "integer" },
            list: { type: "string", const: "wishlist" },
            outcome: { type: "string", enum: ["added", "summed", "capped", "left_out"] },
          },
          "variantId",
          "productId",
          "quantity",
          "list",
        ),
      ),
    }),
    description:
      "The outcome for each line of the guest's basket at the login, and for each item of the wishlist that was left out.",
  },
  Session: object(
    {
      handle: { type: "string", description: "Names the session for `revokeSession`." },
      shopId: { type: "integer" },
      createdAt: time,
      lastSeenAt: time,
      transport: text,
      device: object({ browser: text, os: text, type: text }, "browser", "os", "type"),
      userAgent: text,
      current: { type: "boolean", description: "Whether it is the session of this call." },
    },
    "transport",
    "device",
    "userAgent",
  ),
  Shop: object(
    {
      shopId: { type: "integer" },
      locale: text,
      currency: text,
      host: { anyOf: [text, list(text)] },
      path: text,
    },
    "host",
    "path",
  ),
} satisfies Record<string, JsonSchema>;

const user = object({ user: ref("User") });
const maybeUser = object({ user: ref("User") }, "user");
const login = object({
  user: ref("User"),
  merge: ref("MergeReport"),
});
const basket = object({ basket: ref("Basket") });
const wishlist = object({ wishlist: ref("Wishlist") });

const commerceBasket = object(
  {
    basket: ref("CommerceBasket"),
    short: {
      ...list(object({ variantId: reference, reason: text, quantity: { type: "integer" } })),
      description: "The lines with another quantity than the requested one.",
    },
  },
  "short",
);
const commerceWishlist = object({ wishlist: ref("CommerceWishlist") });

/**
 * Finds the result of a method, as the storefront itself defines the method.
 * @returns `null` for no result, which is sent as 204; `undefined` for a method of the config or of a commerce system's
 * adapter
 */
export function findAnswer(name: string, method: RpcMethod): JsonSchema | null | undefined {
  if (method === builtins[name]) return answers[name as keyof BuiltinMethods];
  if (method === basketMethods[name]) return commerceBasket;
  return method === wishlistMethods[name] ? commerceWishlist : undefined;
}

const builtins: RpcMethods = builtinMethods;
const basketMethods: RpcMethods = { ...commerceBasketMethods, ...couponMethods };
const wishlistMethods: RpcMethods = commerceWishlistMethods;

const answers: Readonly<Record<keyof BuiltinMethods, JsonSchema | null>> = {
  getUser: maybeUser,
  login,
  register: login,
  logout: null,
  updateUser: user,
  updatePassword: user,
  reauthenticate: null,
  updateEmail: user,
  requestPasswordReset: null,
  resetPassword: null,
  requestEmailVerification: null,
  verifyEmail: maybeUser,
  listSessions: object({ sessions: list(ref("Session")) }),
  revokeSession: null,
  logoutEverywhere: object({ ended: { type: "integer" }, complete: { const: false } }, "complete"),
  getBasket: basket,
  addItemToBasket: basket,
  addItemsToBasket: basket,
  updateBasketItem: basket,
  removeItemFromBasket: basket,
  clearBasket: basket,
  getWishlist: wishlist,
  addItemToWishlist: wishlist,
  removeItemFromWishlist: wishlist,
  clearWishlist: wishlist,
  getShopConfiguration: ref("Shop"),
};
