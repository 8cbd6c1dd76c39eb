import type { H3Event } from "h3";
import { RpcError } from "../rpc/error.ts";
import type { CorsOptions, Shop } from "./options.ts";

/** The request headers that calls have. */
const callHeaders = "authorization, content-type, idempotency-key, x-shop-id";

/** Which pages of other origins may call which shop, and what they are told. */
export class Cors {
  readonly #shops: readonly Shop[];

  constructor(shops: readonly Shop[]) {
    this.#shops = shops;
  }

  /**
   * Refuses calls that a page of a foreign origin makes a browser send (CSRF), before anything runs.
   * Clients that are no browsers send neither header.
   * @throws RpcError `foreign_origin`
   */
  assertOrigin(event: H3Event, shop: Shop): void {
    const { headers, method } = event.req;
    const origin = headers.get("origin");
    if (origin !== null) {
      if (!allows(event, origin, shop)) throw new RpcError("foreign_origin");
      return;
    }
    // A navigation to a cacheable GET may come from anywhere, and no page can make a browser send a token.
    const isCrossSite = headers.get("sec-fetch-site") === "cross-site";
    const isExempt = method !== "POST" || headers.has("authorization");
    if (isCrossSite && !isExempt) throw new RpcError("foreign_origin");
  }

  /**
   * The answer to a preflight. It names no shop, so it speaks for all of them; the call itself is held
   * against its own.
   * @throws RpcError `foreign_origin` where no shop lets the origin in
   */
  answerPreflight(event: H3Event): Response {
    const origin = event.req.headers.get("origin") ?? "";
    const shop = this.#shops.find((candidate) => allows(event, origin, candidate));
    if (shop === undefined) throw new RpcError("foreign_origin");
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": callHeaders,
        "access-control-max-age": String(shop.cors.maxAge),
      },
    });
  }

  /** Lets the page that called read the answer, an error too; without a shop, as any of them would. */
  describe(event: H3Event, shop: Shop | undefined, headers: Headers): void {
    headers.append("vary", "origin");
    const origin = event.req.headers.get("origin");
    if (origin === null) return;
    const shops = shop === undefined ? this.#shops : [shop];
    const host = shops.find((candidate) => allows(event, origin, candidate));
    if (host === undefined) return;
    const { credentials, exposedHeaders }: CorsOptions = host.cors;
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-expose-headers", exposedHeaders.join(", "));
    if (credentials) headers.set("access-control-allow-credentials", "true");
  }
}

// --- Internal helpers ---

/** Schemes are not compared with our own: behind a proxy that ends TLS ours is another than the browser's. */
function allows(event: H3Event, origin: string, shop: Shop): boolean {
  return isSameHost(origin, event.url.host) || isAllowed(origin, shop);
}

function isSameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}

function isAllowed(origin: string, { cors, public: shop }: Shop): boolean {
  if (typeof cors.origin === "function") return cors.origin(origin, shop);
  return cors.origin.some((rule) => {
    if (typeof rule === "string") return rule === origin;
    // A pattern that only finds itself somewhere would let `https://shop.example.evil.example` in.
    return new RegExp(`^(?:${rule.source})$`, rule.flags.replace(/[gy]/g, "")).test(origin);
  });
}
