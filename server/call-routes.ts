import type { H3, H3Event } from "h3";
import type { ServerRequest } from "srvx";
import { builtinMethods } from "../rpc/builtin.ts";
import type { StorefrontOptions } from "./options.ts";

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
  find({ runtime }: ServerRequest): CallRoute | undefined {
    const request = runtime?.node?.req;
    return request?.method === "POST" ? this.#known.get(request.url ?? "") : undefined;
  }

  /**
   * Has h3 answer calls. It finds a route without parameters at once, while parameters take as long as reading
   * the session: those are for what is no method or no shop.
   */
  addTo(app: H3, answer: (event: H3Event, route: CallRoute) => unknown): void {
    for (const [url, route] of this.#known) app.all(url, (event) => answer(event, route));
    for (const place of [this.#folder, `/:shop${this.#folder}`]) {
      app.all(`${place}/:method`, (event) => {
        const { method = "", shop: shopPath } = event.context.params ?? {};
        return answer(event, { method, shopPath });
      });
    }
  }
}
