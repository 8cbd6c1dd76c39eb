import { RpcError } from "../rpc/error.ts";
import { describeError } from "../shared/log.ts";
import type { RpcResponse } from "./response.ts";
import type { RequestEvent } from "./request.ts";
import { matchesOrigin } from "./config/keys/cors-keys.ts";
import type { Shop, StorefrontOptions } from "./config/options.ts";
import { isOwnPage, parseOrigin } from "./own-page.ts";
import { toAllowedHeaders } from "./preflight.ts";
import { ShopHosts } from "./shop-hosts.ts";
import type { Credentials } from "./credentials/credentials.ts";
import type { HeaderEntry } from "./credentials/transport.ts";
import { responseHeader } from "./method-response.ts";

/** Decides which pages of other origins can call which shop, and which headers they can read. */
export class Cors {
  /** The request headers, in addition to `Origin`, that decide whether a page is allowed. */
  readonly vary: string;
  readonly #options: StorefrontOptions;
  readonly #hosts: ReadonlyMap<Shop, ShopHosts>;
  readonly #credentials: Credentials;
  /** The response headers that a shop's pages can read. */
  readonly #exposed: ReadonlyMap<Shop, readonly string[]>;
  readonly #publicOrigin: string | undefined;
  readonly #logsRejected: boolean;
  #closest = { origin: "", rank: 0 };

  /** @param logsRejected whether to log rejected calls: in production, anyone could fill the log */
  constructor(options: StorefrontOptions, credentials: Credentials, logsRejected: boolean) {
    const { shops, publicUrl, trustProxy } = options;
    const forwarded = ["x-forwarded-host", "x-forwarded-proto"];
    this.vary = ["sec-fetch-site", ...(trustProxy === false ? [] : forwarded)].join(", ");
    this.#options = options;
    this.#hosts = new Map(shops.map((shop) => [shop, new ShopHosts(shop.public.host)]));
    this.#credentials = credentials;
    this.#exposed = new Map(
      shops.map((shop) => {
        const names = credentials.explicitIn(shop).map((each) => each.credentialHeaders.response);
        return [shop, [...shop.cors.exposedHeaders, ...names, "retry-after", responseHeader]];
      }),
    );
    this.#publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
    this.#logsRejected = logsRejected;
  }

  /**
   * Rejects calls that a page of another origin makes a browser send (CSRF), before anything runs.
   * Clients that aren't browsers send neither `Origin` nor `Sec-Fetch-Site`.
   * @returns whether the server accepts the call's cookies
   * @throws RpcError `foreign_origin`
   */
  assertOrigin(event: RequestEvent, shop: Shop): boolean {
    const { origin } = event;
    if (origin !== null) {
      const verdict = this.#judge(event, origin, shop);
      if (verdict === "own") return true;
      if (this.#isAllowed(origin, shop)) return shop.cors.credentials;
      throw this.#reject(origin, shop, verdict === "of_another_shop");
    }
    const site = event.headers.get("sec-fetch-site");
    // Any page can link to a GET, or show it in an element. So it runs, but maybe not as the visitor.
    if (event.isRead) return this.#acceptsRead(event, site, shop);
    // `same-site`: a page of another subdomain or port, which is another origin.
    if (site !== "cross-site" && site !== "same-site") return true;
    // A page can set a token only after a preflight. But the browser adds cookies by itself, so they don't count.
    if (this.#credentials.hasExplicit(event.headers)) return false;
    throw this.#reject(undefined, shop);
  }

  /**
   * Responds to a preflight. It names no shop, so the response covers all shops; the call itself is checked against its
   * own shop.
   * @throws RpcError `foreign_origin` if no shop allows the origin
   */
  answerPreflight(event: RequestEvent): RpcResponse {
    const allowing = this.#findAllowing(event, this.#options.shops);
    if (allowing.length === 0) throw this.#reject(event.origin ?? undefined, undefined);
    const requested = event.headers.get("access-control-request-headers");
    const lists = allowing.map(({ cors }) => cors.allowedHeaders);
    const credentialHeaders = allowing
      .flatMap((shop) => this.#credentials.explicitIn(shop))
      .map((transport) => transport.credentialHeaders.request);
    const headers: HeaderEntry[] = [];
    this.addHeaders(event, undefined, headers);
    headers.push(
      ["vary", "access-control-request-headers"],
      ["access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE"],
      ["access-control-allow-headers", toAllowedHeaders(requested, lists, credentialHeaders)],
      ["access-control-max-age", String(Math.min(...allowing.map(({ cors }) => cors.maxAge)))],
    );
    return { status: 204, body: null, headers };
  }

  /** Lets the calling page read the response, also an error. Without a shop, the rules of all shops apply. */
  addHeaders(event: RequestEvent, shop: Shop | undefined, headers: HeaderEntry[]): void {
    const { origin } = event;
    headers.push(["vary", "origin"]);
    if (origin === null) return;
    const allowing = this.#findAllowing(event, shop === undefined ? this.#options.shops : [shop]);
    if (allowing.length === 0) return;
    const exposed = new Set(allowing.flatMap((each) => this.#exposed.get(each) ?? []));
    headers.push(
      ["access-control-allow-origin", origin],
      ["access-control-expose-headers", [...exposed].join(", ")],
    );
    // A preflight needs this header if one shop allows cookies: without it, browsers send no call with cookies.
    if (allowing.some(({ cors }) => cors.credentials)) {
      headers.push(["access-control-allow-credentials", "true"]);
    }
  }

  /** The shops that allow the origin of a call. */
  #findAllowing(event: RequestEvent, shops: readonly Shop[]): readonly Shop[] {
    const { origin } = event;
    if (origin === null) return [];
    return shops.filter(
      (shop) => this.#judge(event, origin, shop) === "own" || this.#isAllowed(origin, shop),
    );
  }

  /** A page of the storefront can be at none of the shop's hosts: `same-origin` chooses no shop. */
  #judge(event: RequestEvent, origin: string, shop: Shop) {
    const page = parseOrigin(origin);
    if (page === undefined) return "other";
    const isOfShop = this.#isAtHostOf(page, shop);
    const { exist } = this.#hosts.get(shop) as ShopHosts;
    if (!isOwnPage(event, page, isOfShop && exist, this.#publicOrigin)) return "other";
    return isOfShop ? "own" : "of_another_shop";
  }

  /**
   * Whether the server accepts the cookies of a GET without `Origin`: only if it comes from a page of the shop, or from
   * no page. Browsers send no `Origin` to the page's own origin, so the host must be that page's, or `publicUrl`.
   * @param site the header `Sec-Fetch-Site`, which other clients don't send
   */
  #acceptsRead(event: RequestEvent, site: string | null, shop: Shop): boolean {
    if (site === "none") return true;
    if (site !== null && site !== "same-origin") return false;
    if (!(this.#hosts.get(shop) as ShopHosts).exist) return true;
    const isKnown = this.#findClosestRank(event.url) > 0 || this.#publicOrigin === undefined;
    const page = isKnown ? event.url : new URL(this.#publicOrigin as string);
    return this.#isAtHostOf(page, shop) || (site === null && this.#findClosestRank(page) === 0);
  }

  /** If the host of another shop matches the page more closely, the page is that shop's. */
  #isAtHostOf(page: URL, shop: Shop): boolean {
    const hosts = this.#hosts.get(shop) as ShopHosts;
    if (!hosts.exist) return true;
    const rank = hosts.rank(page);
    return rank > 0 && rank === this.#findClosestRank(page);
  }

  /** The rank of the shop whose host matches best. Remembered, because a preflight checks every shop. */
  #findClosestRank(page: URL): number {
    if (this.#closest.origin !== page.origin) {
      const rank = Math.max(...[...this.#hosts.values()].map((hosts) => hosts.rank(page)));
      this.#closest = { origin: page.origin, rank };
    }
    return this.#closest.rank;
  }

  #isAllowed(origin: string, { cors, public: shop }: Shop): boolean {
    if (typeof cors.origin !== "function")
      return cors.origin.some((rule) => matchesOrigin(rule, origin));
    try {
      // Only `true` allows the origin: the promise of an async function is truthy, too.
      return cors.origin(origin, shop) === true;
    } catch (error) {
      this.#options.log.error("The function cors.origin failed, so the origin is rejected", {
        origin,
        shopId: shop.shopId,
        error: describeError(error),
      });
      return false;
    }
  }

  #reject(origin: string | undefined, shop: Shop | undefined, isOfAnotherShop = false): RpcError {
    const detail = describeRejection(origin, shop, isOfAnotherShop);
    if (this.#logsRejected) {
      this.#options.log.warn("A call of another origin was rejected", { detail });
    }
    return new RpcError("foreign_origin", { detail });
  }
}

// --- Internal helpers ---

/** Names the origin, and the option to set if you own the page. */
function describeRejection(
  origin: string | undefined,
  shop: Shop | undefined,
  isOfAnotherShop: boolean,
): string {
  if (origin === undefined) {
    return "The browser reports that a page of another site sent this call. The call has no Origin, so cors.origin can't allow it";
  }
  const name = JSON.stringify(origin.slice(0, 200));
  const who = shop === undefined ? "any shop" : `shop ${shop.shopId}`;
  if (isOfAnotherShop) {
    return `The page at ${name} isn't at a host of ${who}. If it is a page of that shop, add its host to the shop's "host". Otherwise, add its origin to cors.origin`;
  }
  return `The origin ${name} is not allowed for ${who}. If it is a page of yours at another origin, add it to cors.origin. If it is this server's own page behind a proxy, set publicUrl or trustProxy`;
}
