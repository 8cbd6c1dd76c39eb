/** A storefront in SvelteKit: the public entry `storefront-core/sveltekit`. */

import { describeError } from "../shared/log.ts";
import {
  createCallerFetch,
  createRpcCaller,
  isStorefrontPath,
  respondWithCaller,
  type Storefront,
} from "../server/index.ts";

/** The hooks of `src/hooks.server.ts`. The types `Handle` and `HandleFetch` of SvelteKit accept them. */
export interface StorefrontHooks {
  handle<Event extends SvelteKitEvent>(input: {
    readonly event: Event;
    resolve(
      event: Event,
      options: { filterSerializedResponseHeaders(name: string, value: string): boolean },
    ): Response | Promise<Response>;
  }): Promise<Response>;
  handleFetch(input: {
    readonly event: SvelteKitEvent;
    readonly request: Request;
    readonly fetch: (request: Request) => Promise<Response>;
  }): Promise<Response>;
}

/** The parts of SvelteKit's `RequestEvent` that the hooks use. */
export interface SvelteKitEvent {
  readonly request: Request;
  readonly url: URL;
  readonly locals: object;
  readonly isDataRequest: boolean;
  getClientAddress(): string;
}

/**
 * Creates the hooks for a storefront: `export const { handle, handleFetch } = toHooks(storefront)`. `handle` responds
 * to the storefront's paths, and sets `event.locals.rpc` for all others, with the session's cookie in the response.
 */
export function toHooks(storefront: Storefront): StorefrontHooks {
  /** The requests for pages, by the requests that those pages send to this server. */
  const pages = new WeakMap<Request, Request>();
  const { log } = storefront.options;
  let isReported = false;

  function nameClient({ request, getClientAddress }: SvelteKitEvent): void {
    if ("ip" in request) return;
    const get = () => {
      try {
        return getClientAddress();
      } catch (error) {
        if (!isReported) log.warn("SvelteKit gives no IP address", { error: describeError(error) });
        isReported = true;
        return undefined;
      }
    };
    Object.defineProperty(request, "ip", { get });
  }

  return {
    async handle({ event, resolve }) {
      nameClient(event);
      const { request } = event;
      if (isStorefrontPath(storefront, request.url)) return storefront.fetch(request);
      const page = pages.get(request);
      const rpc = createRpcCaller(storefront, page ?? request);
      Object.assign(event.locals, { rpc });
      const render = () => resolve(event, { filterSerializedResponseHeaders: isForClient });
      if (page !== undefined) return render();
      const state = {
        headers: rpc.headers,
        get redirect() {
          return rpc.redirect && (event.isDataRequest ? pathOf(event.url) : rpc.redirect);
        },
      };
      return respondWithCaller(state, render);
    },

    async handleFetch({ event, request, fetch }) {
      if (new URL(request.url).origin !== event.url.origin) return fetch(request);
      const page = pages.get(event.request) ?? event.request;
      nameClient(event);
      if (isStorefrontPath(storefront, request.url)) {
        return createCallerFetch(storefront, page)(request);
      }
      pages.set(request, page);
      return fetch(request);
    },
  };
}

// --- Internal helpers ---

/** The headers that the typed client reads, so SvelteKit must store them in the page for the browser. */
function isForClient(name: string): boolean {
  return name === "content-type" || name === "retry-after" || name === "storefront-response";
}

/** The page's own path, which the browser opens. The URL of a data request has another path. */
function pathOf({ pathname, search }: URL): string {
  // A second slash would make it a URL of another host.
  return pathname.replace(/^\/+/, "/") + search;
}
