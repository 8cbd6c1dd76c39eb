import { RpcError } from "../rpc/error.ts";
import { describeError, type Logger } from "../storage/log.ts";
import type { Answer } from "./answer.ts";
import type { Incoming } from "./incoming.ts";
import type { Shop } from "./options.ts";
import type { Header } from "./transport.ts";

/** The request headers that calls have. */
const callHeaders = "authorization, content-type, idempotency-key, x-shop-id";

/**
 * Which pages of other origins may call which shop, and what they are told. `origin` is the request's header,
 * `null` where it has none.
 */
export class Cors {
  readonly #shops: readonly Shop[];
  readonly #log: Logger;

  constructor(shops: readonly Shop[], log: Logger) {
    this.#shops = shops;
    this.#log = log;
  }

  /**
   * Refuses calls that a page of a foreign origin makes a browser send (CSRF), before anything runs.
   * Clients that are no browsers send neither header.
   * @throws RpcError `foreign_origin`
   */
  assertOrigin(event: Incoming, origin: string | null, shop: Shop): void {
    const { headers, method } = event.req;
    if (origin !== null) {
      if (!this.#allows(event, origin, shop)) throw new RpcError("foreign_origin");
      return;
    }
    const site = headers.get("sec-fetch-site");
    // A page of another subdomain or port is a foreign one too.
    if (site !== "cross-site" && site !== "same-site") return;
    // A navigation to a cacheable GET may come from anywhere, and no page can make a browser send a token.
    const isExempt = method !== "POST" || isBearer(headers);
    if (!isExempt) throw new RpcError("foreign_origin");
  }

  /** Whether the cookies of a call count: a page whose shop says `credentials: false` calls without. */
  takesCookies(event: Incoming, origin: string | null, shop: Shop): boolean {
    return origin === null || shop.cors.credentials || isOwnOrigin(origin, event.url);
  }

  /**
   * The answer to a preflight. It names no shop, so it speaks for all of them; the call itself is held
   * against its own.
   * @throws RpcError `foreign_origin` where no shop lets the origin in
   */
  answerPreflight(event: Incoming, origin: string | null): Answer {
    const hosts = this.#findHosts(event, origin, this.#shops);
    if (hosts.length === 0) throw new RpcError("foreign_origin");
    return {
      status: 204,
      body: null,
      headers: [
        ["access-control-allow-methods", "GET, POST"],
        ["access-control-allow-headers", callHeaders],
        ["access-control-max-age", String(Math.min(...hosts.map(({ cors }) => cors.maxAge)))],
      ],
    };
  }

  /** Lets the page that called read the answer, an error too; without a shop, as any of them would. */
  describe(
    event: Incoming,
    origin: string | null,
    shop: Shop | undefined,
    headers: Header[],
  ): void {
    headers.push(["vary", "origin"]);
    if (origin === null) return;
    const hosts = this.#findHosts(event, origin, shop === undefined ? this.#shops : [shop]);
    if (hosts.length === 0) return;
    const exposed = new Set(hosts.flatMap(({ cors }) => cors.exposedHeaders));
    headers.push(
      ["access-control-allow-origin", origin],
      ["access-control-expose-headers", [...exposed].join(", ")],
    );
    // Were this left out of a preflight for one shop, a browser would make no call with cookies to another.
    if (hosts.some(({ cors }) => cors.credentials)) {
      headers.push(["access-control-allow-credentials", "true"]);
    }
  }

  /** Those of the shops that let an origin in; none where there is no such header. */
  #findHosts(event: Incoming, origin: string | null, shops: readonly Shop[]): readonly Shop[] {
    return origin === null ? [] : shops.filter((shop) => this.#allows(event, origin, shop));
  }

  #allows(event: Incoming, origin: string, shop: Shop): boolean {
    return isOwnOrigin(origin, event.url) || this.#isAllowed(origin, shop);
  }

  #isAllowed(origin: string, { cors, public: shop }: Shop): boolean {
    if (typeof cors.origin !== "function")
      return cors.origin.some((rule) => fitsOrigin(rule, origin));
    try {
      // Nothing else will do: the promise of an asynchronous function would let everybody in.
      return cors.origin(origin, shop) === true;
    } catch (error) {
      this.#log.error("cors.origin failed, so the origin is refused", {
        origin,
        shopId: shop.shopId,
        error: describeError(error),
      });
      return false;
    }
  }
}

/** Whether a rule of `cors.origin` is about an origin. */
export function fitsOrigin(rule: string | RegExp, origin: string): boolean {
  if (typeof rule === "string") return rule === origin;
  // A pattern that only finds itself somewhere would let `https://shop.example.evil.example` in.
  return new RegExp(`^(?:${rule.source})$`, rule.flags.replace(/[gmy]/g, "")).test(origin);
}

// --- Internal helpers ---

function isBearer(headers: Headers): boolean {
  return /^bearer /i.test(headers.get("authorization") ?? "");
}

/**
 * Where the call came by HTTPS, a page that came by HTTP is not ours: whoever sits on the line may have
 * written it. The other way round says nothing, for a proxy that is not trusted may have ended TLS.
 */
function isOwnOrigin(origin: string, own: URL): boolean {
  if (!URL.canParse(origin)) return false;
  const { host, protocol } = new URL(origin);
  return host === own.host && (own.protocol === "http:" || protocol === "https:");
}
