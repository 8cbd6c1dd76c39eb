import { toRouteHandlers } from "storefront-core/next";
import { storefront } from "../../../../lib/storefront";

export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = toRouteHandlers(storefront);
