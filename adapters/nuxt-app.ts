/** The part of the Nuxt module in pages: the public entry `storefront-core/nuxt/app`, for the module's own code. */

import { createRpcClient, type RpcClient } from "../rpc/client.ts";
import type { BuiltinMethods, RpcMethods } from "../server/index.ts";
import type { NitroEvent, NitroStorefront } from "./nuxt-server.ts";

export type { RpcClient } from "../rpc/client.ts";

/** Options of `useRpc`. */
export interface UseRpcOptions {
  /** The shop of the calls. Default: the shop of the page's URL. */
  readonly shopId?: number;
}

/** The methods of a config: its own, and the built-in ones that it does not replace. */
export type MethodsOf<Config> = WithBuiltins<
  ConfigOf<Config> extends { readonly methods?: infer Own } ? Exclude<Own, undefined> : unknown
>;

/**
 * Gives the page the parts of the config that its browser needs. After rendering, adds the headers of the page's calls
 * to its response. If the page's session ID was replaced a moment ago, redirects the browser to the page itself.
 */
export function preparePage(
  nuxtApp: NuxtApp,
  event: PageEvent | undefined,
  redirect: (path: string) => unknown,
): void {
  const storefront = event?.context.storefront;
  if (event === undefined || storefront === undefined) return;
  nuxtApp.payload["storefront"] = storefront.forBrowser;
  nuxtApp.hook("app:rendered", async () => {
    const path = storefront.pageOf(event).finish();
    if (path !== undefined) await nuxtApp.runWithContext(() => redirect(path));
  });
}

/** Finds the caller of the page that the server is rendering. */
export function findPageRpc<Methods extends RpcMethods>(
  event: PageEvent | undefined,
  { shopId }: UseRpcOptions,
): RpcClient<Methods> {
  const storefront = event?.context.storefront;
  if (event === undefined || storefront === undefined) {
    throw new Error(
      "useRpc: this request has no storefront. Call useRpc() in the setup of a page or a component, and see the log for an error of storefront.config.ts",
    );
  }
  return storefront.pageOf(event).callerOf<Methods>(shopId);
}

/**
 * Finds the typed client of the browser. Without `shopId`, the URL of the current page chooses the shop, as it does on
 * the server.
 * @param base `app.baseURL` of Nuxt
 */
export function findBrowserRpc<Methods extends RpcMethods>(
  nuxtApp: NuxtApp,
  base: string,
  { shopId }: UseRpcOptions,
): RpcClient<Methods> {
  const { basePath = "/api", shopPaths = [] } = (nuxtApp.payload["storefront"] ?? {}) as Partial<
    NitroStorefront["forBrowser"]
  >;
  const root = base.replace(/\/$/, "");
  const [, first = ""] = location.pathname.slice(root.length).split("/", 2);
  const folder = shopId === undefined && shopPaths.includes(first) ? `/${first}` : "";
  const known = clients.get(nuxtApp) ?? new Map<string, RpcClient<RpcMethods>>();
  clients.set(nuxtApp, known);
  const key = `${folder} ${shopId}`;
  const client =
    known.get(key) ??
    createRpcClient({
      baseURL: location.origin + root + folder,
      basePath,
      shopId: shopId ?? 0,
      fetch(request) {
        // The typed client always names a shop; without the header, the URL chooses it.
        if (shopId === undefined) request.headers.delete("x-shop-id");
        return fetch(request);
      },
    });
  known.set(key, client);
  return client as unknown as RpcClient<Methods>;
}

// --- Internal helpers ---

/** The parts of Nuxt's app that this file uses. */
interface NuxtApp {
  readonly payload: Record<string, unknown>;
  hook(name: "app:rendered", callback: () => Promise<void>): unknown;
  runWithContext(run: () => unknown): unknown;
}

/** An event of h3 1, in the middle of rendering. */
type PageEvent = NitroEvent & {
  readonly context: { readonly storefront?: NitroStorefront };
};

/** Components share a client, so that equal reads in progress are one request. */
const clients = new WeakMap<NuxtApp, Map<string, RpcClient<RpcMethods>>>();

/** A config can also be a function that returns it. */
type ConfigOf<Config> = Awaited<
  Config extends (...args: never[]) => infer Returned ? Returned : Config
>;

type WithBuiltins<Own> = string extends keyof Own
  ? BuiltinMethods
  : Omit<BuiltinMethods, keyof Own> & Own;
