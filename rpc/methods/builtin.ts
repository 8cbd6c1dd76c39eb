import {
  getUser,
  login,
  logout,
  reauthenticate,
  register,
  updateEmail,
  updatePassword,
  updateUser,
} from "./account-methods.ts";
import {
  addItemsToBasket,
  addItemToBasket,
  clearBasket,
  getBasket,
  removeItemFromBasket,
  updateBasketItem,
} from "./basket-methods.ts";
import { listSessions, logoutEverywhere, revokeSession } from "./session-methods.ts";
import { getShopConfiguration } from "./shop-methods.ts";
import {
  addItemToWishlist,
  clearWishlist,
  getWishlist,
  removeItemFromWishlist,
} from "./wishlist-methods.ts";

/** The methods that every storefront has; a config replaces one by giving another of its name. */
export const builtinMethods = {
  getUser,
  login,
  register,
  logout,
  logoutEverywhere,
  updateUser,
  updateEmail,
  updatePassword,
  reauthenticate,
  listSessions,
  revokeSession,
  getBasket,
  clearBasket,
  addItemToBasket,
  addItemsToBasket,
  updateBasketItem,
  removeItemFromBasket,
  getWishlist,
  clearWishlist,
  addItemToWishlist,
  removeItemFromWishlist,
  getShopConfiguration,
};

/** The built-in methods' names and types, for `createRpcClient`. */
export type BuiltinMethods = typeof builtinMethods;
