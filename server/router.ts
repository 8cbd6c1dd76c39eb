import { types } from "node:util";
import type { ServerRequest } from "srvx";
import { builtinMethods } from "../rpc/methods/builtin.ts";
import { RpcError } from "../rpc/error.ts";
import type { Incoming } from "./request.ts";
import type { StorefrontOptions } from "./config/options.ts";
import type { Route } from "./route.ts";

/** Where a call goes: to which method, and by the path of which shop, if that is in the URL. */
export interface CallRoute {
  readonly method: string;
  readonly shopPath: string | undefined;
}

/** The URLs of calls. */
export class CallRoutes {
  readonly #folder: string;
  /** Each method under each path of a shop. */
  readonly #known: ReadonlyMap<string, CallRoute>;

  constructor({ basePath, shops, methods }: StorefrontOptions) {
    this.#folder = `${basePath}/rpc`;
    const shopPaths = new Set([undefined, ...shops.map((shop) => shop.public.path)]);
    const names = Object.keys({ ...builtinMethods, ...methods });
    this.#known = new Map(
      [...shopPaths].flatMap((shopPath) => {
        const place = shopPath === undefined ? this.#folder : `/${shopPath}${this.#folder}`;
        return names.map((method) => [`${place}/${method}`, { method, shopPath }] as const);
      }),
    );
  }

  /** Where a request goes, if it is a POST to Node's server as nearly all calls are; h3 knows the others. */
  find(request: ServerRequest): CallRoute | undefined {
    const incoming = request.runtime?.node?.req;
    // An app that mounts the storefront by its `fetch` removes its path from the URL, but not from the target.
    if (incoming?.method !== "POST" || types.isProxy(request)) return undefined;
    return this.#known.get(incoming.url ?? "");
  }

  /**
   * The routes of calls. h3 finds a path without parameters immediately; parameters take as long as reading the
   * session. Those are for unknown methods and shops, so that all paths below the folder respond with problem+json.
   */
  list(answer: (incoming: Incoming, route: CallRoute) => Response | Promise<Response>): Route[] {
    const known = [...this.#known].map(([path, route]) => ({
      path,
      answer: (incoming: Incoming) => answer(incoming, route),
    }));
    const unknown = [this.#folder, `/:shop${this.#folder}`].flatMap((folder): Route[] => [
      {
        path: `${folder}/:method`,
        answer: (incoming, { method = "", shop: shopPath }) =>
          answer(incoming, { method, shopPath }),
      },
      {
        path: `${folder}/**`,
        answer: () => {
          throw new RpcError("unknown_path");
        },
      },
    ]);
    return [...known, ...unknown];
  }
}
