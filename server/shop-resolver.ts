import type { RequestEvent } from "./request.ts";
import type { StorefrontOptions, Shop } from "./config/options.ts";
import { ShopHosts } from "./shop-hosts.ts";

/** Finds the shop of a call: by the header `x-shop-id`, or by host or path, as the config says. */
export class ShopResolver {
  /** The request headers that choose a shop, for `Vary`. `Host` is already part of a cache's key. */
  readonly vary: string;
  readonly #options: StorefrontOptions;
  readonly #byId: ReadonlyMap<string, Shop>;
  readonly #hosts: readonly (readonly [shop: Shop, hosts: ShopHosts])[];
  /** If no shop has a host of its own, only the path matters. */
  readonly #byPath: ReadonlyMap<string | undefined, Shop | undefined> | undefined;

  constructor(options: StorefrontOptions) {
    this.#options = options;
    // The keys are texts, so that only the exact digits match, and not `01001` or `1e3`.
    this.#byId = new Map(options.shops.map((shop) => [String(shop.shopId), shop]));
    this.#hosts = options.shops.map((shop) => [shop, new ShopHosts(shop.public.host)]);
    if (this.#hosts.every(([, hosts]) => !hosts.exist)) {
      const paths = [undefined, ...options.shops.map((shop) => shop.public.path)];
      this.#byPath = new Map(paths.map((path) => [path, this.#findAt(undefined, path)]));
    }
    const isForwarded = this.#byPath === undefined && options.trustProxy !== false;
    this.vary = isForwarded ? "x-shop-id, x-forwarded-host" : "x-shop-id";
  }

  /**
   * Finds the shop of a call: by the header, unless the path of the URL names another shop.
   * @param path the segment of the URL before the base path, if there is one
   */
  find(event: RequestEvent, path: string | undefined): Shop | undefined {
    const id = event.req.headers.get("x-shop-id");
    if (id === null) return this.findByUrl(event, path);
    const named = this.#byId.get(id);
    if (path === undefined || named === undefined) return named;
    if (named.public.path !== path) return undefined;
    // Behind a proxy that rewrites Host, the URL matches no shop, and the header decides.
    return (this.findByUrl(event, path) ?? named) === named ? named : undefined;
  }

  /** Describes why a call has no shop: its header, or its URL, names none. */
  describeUnknown(event: RequestEvent, path: string | undefined): string {
    const { basePath, shops } = this.#options;
    const ids = shops.map(({ shopId }) => shopId).join(", ");
    const id = event.headers.get("x-shop-id");
    if (id !== null)
      return `The header x-shop-id names none of the shops ${ids}, or one with another path`;
    if (path !== undefined && !shops.some((shop) => shop.public.path === path)) {
      const prefix = `/${path.slice(0, 100)}`;
      return `No shop has the path ${JSON.stringify(prefix)}. If it is the prefix of a mount that the framework doesn't remove from the URL, set basePath to ${JSON.stringify(prefix + basePath)}: see docs/mounting.md`;
    }
    return `Send the header x-shop-id (${ids}), or a URL of a shop. If a framework's fetch sent this call, check that it doesn't drop a Headers object: see docs/mounting.md`;
  }

  /** Finds the shop of the URL alone, without the header. */
  findByUrl(event: RequestEvent, path: string | undefined): Shop | undefined {
    return this.#byPath === undefined ? this.#findAt(event.url, path) : this.#byPath.get(path);
  }

  #findAt(url: URL | undefined, path: string | undefined): Shop | undefined {
    const { shops, shopSelector } = this.#options;
    const ofHost = this.#findAtHost(url);
    if (path !== undefined) {
      const anywhere = shopSelector === "domain" ? [] : this.#withoutHosts();
      const here = [...ofHost.map(({ shop }) => shop), ...anywhere];
      return here.find((shop) => shop.public.path === path);
    }
    if (shopSelector === "path") return undefined;
    const closest = ofHost.filter(({ rank }) => rank === ofHost[0]?.rank).map(({ shop }) => shop);
    const atRoot = closest.find((shop) => shop.public.path === undefined);
    const onlyOne = closest.length === 1 ? closest[0] : undefined;
    const byDefault = shopSelector === "path_or_default" && shops.find((shop) => shop.isDefault);
    return atRoot ?? onlyOne ?? (byDefault || undefined);
  }

  /** The shops at the host of a URL, the closest match first. */
  #findAtHost(url: URL | undefined): readonly { readonly shop: Shop; readonly rank: number }[] {
    if (url === undefined) return [];
    return this.#hosts
      .map(([shop, hosts]) => ({ shop, rank: hosts.rank(url) }))
      .filter(({ rank }) => rank > 0)
      .toSorted((first, second) => second.rank - first.rank);
  }

  #withoutHosts(): readonly Shop[] {
    return this.#hosts.filter(([, hosts]) => !hosts.exist).map(([shop]) => shop);
  }
}
