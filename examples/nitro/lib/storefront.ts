import { createStorefront, type BuiltinMethods } from "storefront-core";
import config, { type methods } from "../storefront.config";

export type Methods = BuiltinMethods & typeof methods;

export const storefront = createStorefront(config);
