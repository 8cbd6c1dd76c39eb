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

/** The built-in methods. A method of the config with the same name replaces one. */
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

/** The names and types of the built-in methods, for `createRpcClient`. */
export type BuiltinMethods = typeof builtinMethods;
