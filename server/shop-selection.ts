import type { Incoming } from "./incoming.ts";
import type { StorefrontOptions, Shop } from "./options.ts";

/** Finds the shop of a call: by header, else by host or path as the config says. */
export class ShopSelection {
  readonly #options: StorefrontOptions;
  readonly #byId: ReadonlyMap<string, Shop>;
  /** Where no shop has a host of its own, the path is all that there is to look at. */
  readonly #byPath: ReadonlyMap<string | undefined, Shop | undefined> | undefined;

  constructor(options: StorefrontOptions) {
    this.#options = options;
    // Keyed by text, so that only the exact digits match: `01001` and `1e3` are no shops.
    this.#byId = new Map(options.shops.map((shop) => [String(shop.shopId), shop]));
    const places = options.shops.map((shop) => shop.public);
    if (places.every(({ host }) => host === undefined)) {
      const paths = [undefined, ...places.map(({ path }) => path)];
      this.#byPath = new Map(paths.map((path) => [path, this.#findAt(undefined, path)]));
    }
  }

  /**
   * Finds the shop of a call: a header says which one, unless the URL names another by its path.
   * @param path the segment of the URL before the base path, if there is one
   */
  find(event: Incoming, path: string | undefined): Shop | undefined {
    const id = event.req.headers.get("x-shop-id");
    if (id === null) return this.findByUrl(event, path);
    const named = this.#byId.get(id);
    if (path === undefined || named === undefined) return named;
    if (named.public.path !== path) return undefined;
    // Behind a proxy that rewrites Host, the URL finds none, and the header decides.
    return (this.findByUrl(event, path) ?? named) === named ? named : undefined;
  }

  /** Finds the shop that the URL leads to, whatever a header says. */
  findByUrl(event: Incoming, path: string | undefined): Shop | undefined {
    return this.#byPath === undefined ? this.#findAt(event.url, path) : this.#byPath.get(path);
  }

  #findAt(url: URL | undefined, path: string | undefined): Shop | undefined {
    const { shops, shopSelector } = this.#options;
    const here = shops.filter(({ public: { host } }) =>
      host === undefined ? shopSelector !== "domain" : url !== undefined && isHost(host, url),
    );
    if (path !== undefined) return here.find((shop) => shop.public.path === path);
    if (shopSelector === "path") return undefined;
    const ofHost = here.filter((shop) => shop.public.host !== undefined);
    const atRoot = ofHost.find((shop) => shop.public.path === undefined);
    const onlyOne = ofHost.length === 1 ? ofHost[0] : undefined;
    const byDefault = shopSelector === "path_or_default" && shops.find((shop) => shop.isDefault);
    return atRoot ?? onlyOne ?? (byDefault || undefined);
  }
}

// --- Internal helpers ---

/** A host without a port is meant on any. */
function isHost(host: string, url: URL): boolean {
  return host === url.host || host === url.hostname;
}
