import type { Clock } from "../../storage/clock.ts";
import { tokenMethods, type TokenMethod } from "../config/keys/session-keys.ts";
import type { Shop, StorefrontOptions } from "../config/options.ts";
import { createBearerTransport, readBearer } from "./bearer.ts";
import { createCookieTransport } from "./cookie.ts";
import type { SessionTransport } from "./transport.ts";

/** Knows all credentials of this server: which headers they are in, and how to find them there. */
export class Credentials {
  /** The request headers with credentials, in lower case: methods don't see them. */
  readonly requestHeaders: readonly string[];
  /** The transports of each shop, in the order in which the server reads them. */
  readonly enabled: ReadonlyMap<Shop, readonly SessionTransport[]>;
  /** The transports of all shops, also those that a shop's config doesn't enable. */
  readonly #transports: readonly SessionTransport[];
  readonly #responseHeaders: ReadonlySet<string>;
  readonly #adminTokens: readonly string[];

  constructor({ shops, adminTokens }: StorefrontOptions, clock: Clock) {
    const byShop = shops.map((shop) => [shop, createTransports(shop, clock)] as const);
    this.#transports = byShop.flatMap(([, transports]) => transports);
    this.enabled = new Map(
      byShop.map(([shop, transports]) => [
        shop,
        transports.filter(({ name }) => shop.session.tokenMethods.includes(name)),
      ]),
    );
    const headers = this.#transports.map(({ credentialHeaders }) => credentialHeaders);
    this.requestHeaders = [
      ...new Set(headers.map(({ request }) => request)),
      "proxy-authorization",
    ];
    this.#responseHeaders = new Set(headers.map(({ response }) => response.toLowerCase()));
    this.#adminTokens = adminTokens;
  }

  /** The shop's transports whose credentials a page sends itself, unlike a cookie. */
  explicitIn(shop: Shop): readonly SessionTransport[] {
    return (this.enabled.get(shop) ?? []).filter(isExplicit);
  }

  /** Whether a request has a credential that its page sent itself, for this shop or another. */
  hasExplicit(headers: Headers): boolean {
    const explicit = this.#transports.filter(isExplicit);
    return explicit.some((transport) => transport.read(headers) !== undefined);
  }

  /** Whether a response header is a session credential of any shop. @param name in lower case */
  isIssued(name: string, value: string): boolean {
    if (!this.#responseHeaders.has(name)) return false;
    return this.#transports.some((transport) => transport.isIssued(name, value));
  }

  /**
   * Sends an issued credential back: changes the headers of the client's next request as the client does.
   * @param name of the response header, in lower case
   */
  sendBack(headers: Headers, name: string, value: string): void {
    const issuer = this.#transports.find((transport) => transport.isIssued(name, value));
    issuer?.sendBack(headers, value);
  }

  /** Whether a header can have credentials. @param name in lower case */
  isCredentialHeader(name: string): boolean {
    return this.requestHeaders.includes(name) || this.#responseHeaders.has(name);
  }

  /**
   * Finds the credentials of this server. Other cookies and tokens aren't redacted: otherwise a caller could
   * remove any word from its log lines by sending the word as a cookie.
   */
  findSecrets(headers: Headers): Iterable<string> {
    const token = readBearer(headers);
    const isAdmin = token !== undefined && this.#adminTokens.includes(token);
    const found = this.#transports.flatMap((transport) => transport.findSecrets(headers));
    return new Set(isAdmin ? [token, ...found] : found);
  }
}

// --- Internal helpers ---

/** All transports. To add one, write its file, and name it here and in `tokenMethods`. */
const creators: Readonly<Record<TokenMethod, (shop: Shop, clock: Clock) => SessionTransport>> = {
  cookie: ({ session }, clock) => createCookieTransport(session, clock),
  bearer: ({ session, shopId }) => createBearerTransport(session, shopId),
};

/** Creates the transports of a shop, also those that its config doesn't enable. */
function createTransports(shop: Shop, clock: Clock): readonly SessionTransport[] {
  const transports = tokenMethods.map((name) => creators[name](shop, clock));
  // A client sends a token on purpose, and a cookie always, so tokens come first.
  return transports.toSorted((a, b) => Number(a.isAmbient) - Number(b.isAmbient));
}

function isExplicit({ isAmbient }: SessionTransport): boolean {
  return !isAmbient;
}
