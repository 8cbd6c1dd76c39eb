import { toHooks } from "storefront-core/sveltekit";
import { storefront } from "$lib/server/storefront";

export const { handle, handleFetch } = toHooks(storefront);
