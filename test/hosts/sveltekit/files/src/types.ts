import type { Handle, HandleFetch } from "@sveltejs/kit";
import { sequence } from "@sveltejs/kit/hooks";
import { toHooks } from "storefront-core/sveltekit";
import { storefront } from "$lib/server/storefront";

// `npm run check` fails if SvelteKit's types don't accept the hooks.
const hooks = toHooks(storefront);
export const handle: Handle = sequence(hooks.handle, ({ event, resolve }) => resolve(event));
export const handleFetch: HandleFetch = hooks.handleFetch;
