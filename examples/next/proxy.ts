export { proxy } from "storefront-core/next";
