import { LRUCache } from "lru-cache";
import type { ServerRequest } from "srvx";
import type { Random } from "../storage/random.ts";
import type { CallSession } from "../rpc/session/call-session.ts";
import { SharedGuest } from "../rpc/session/shared-guest.ts";
import { CredentialJar } from "./credential-jar.ts";
import type { Credentials } from "./credentials/credentials.ts";

/** A call that a page makes while the server renders it. */
export interface PageCall {
  /** The request of the page, which has the client's address. */
  readonly request: ServerRequest;
  /** The session that calls of a new visitor begin together in a shop. */
  readonly guestOf: (shopId: number) => SharedGuest;
  /** Set by the call: whether another call of the visitor replaced the session ID a moment ago. */
  isRetired?: boolean;
  /** Set at the end of a call that has a session. */
  session?: CallSession;
}

/** The visit of one page: all calls that the server makes while it renders the page are one visitor's. */
export class PageVisit {
  readonly request: ServerRequest;
  /** The headers that the response of the page must have. */
  readonly headers: Headers = new Headers();
  /** The path and query to redirect the browser to, because it will have another cookie then. */
  redirect: string | undefined;
  readonly #random: Random;
  readonly #jar: CredentialJar;
  /** The cookies that methods set in a `Response` of their own. */
  #ownCookies: readonly string[] = [];
  /** How often each shop has issued credentials to this page. */
  #issues: ReadonlyMap<number, number> = new Map();
  readonly #guests = new Map<string, SharedGuest>();
  #lastSignIn: Promise<unknown> = Promise.resolve();
  #running: Promise<unknown>[] = [];

  constructor(request: ServerRequest, credentials: Credentials, random: Random) {
    this.request = request;
    this.#random = random;
    this.#jar = new CredentialJar(credentials, toCallHeaders(request));
  }

  /**
   * Runs a call with the headers that the visitor's browser would send after the page's earlier calls.
   * @param signsIn whether the call runs alone: the calls after a login must send its cookie
   */
  async run(
    signsIn: boolean,
    send: (headers: Headers, page: PageCall) => Promise<Response>,
  ): Promise<{ readonly response: Response; readonly isRetired: boolean }> {
    const before = signsIn ? Promise.all([this.#lastSignIn, ...this.#running]) : this.#lastSignIn;
    const running = before.then(async () => {
      const issues = this.#issues;
      const page: PageCall = {
        request: this.request,
        guestOf: (shopId) => this.#guestOf(shopId, issues.get(shopId) ?? 0),
      };
      const headers = this.#jar.headersFor(undefined);
      const cookie = headers.get("cookie");
      const response = await send(headers, page);
      this.#receive(response, page.session);
      // After another call of this page got a new ID, the next call sends it.
      const isSame = this.#jar.headersFor(undefined).get("cookie") === cookie;
      return { response, isRetired: page.isRetired === true && isSame };
    });
    const settled = running.catch(() => undefined);
    if (signsIn) {
      this.#lastSignIn = settled;
      this.#running = [];
    } else {
      this.#running.push(settled);
    }
    return running;
  }

  /** Notes that the response depends on the visitor's session, so no cache may store it. */
  noteSession(): void {
    this.headers.set("cache-control", "private, no-store");
  }

  /**
   * Redirects the browser to the page itself, if its session ID was replaced a moment ago: it sends the new cookie then.
   * @returns whether it does; not again for the same page with the same cookies
   */
  redirectToItself(): boolean {
    if (this.redirect !== undefined) return true;
    const { pathname, search } = browserUrlOf(this.request);
    // A second slash would make it a URL of another host.
    const target = pathname.replace(/^\/+/, "/") + search;
    const sent = `${this.request.headers.get("cookie")} ${target}`;
    if (redirected.has(sent)) return false;
    redirected.set(sent, true);
    this.redirect = target;
    this.noteSession();
    return true;
  }

  /** Calls after an issue have the session, or begin another one. Calls before it still begin the one before. */
  #guestOf(shopId: number, issue: number): SharedGuest {
    const key = `${shopId}:${issue}`;
    const guest = this.#guests.get(key) ?? new SharedGuest(this.#random.uuid());
    this.#guests.set(key, guest);
    return guest;
  }

  #receive(response: Response, session: CallSession | undefined): void {
    const { hasCredentials, ownCookies } = this.#jar.follow(response, session);
    if (session !== undefined && hasCredentials) {
      const { shopId } = session.services.shop;
      this.#issues = new Map(this.#issues).set(shopId, (this.#issues.get(shopId) ?? 0) + 1);
    }
    this.#ownCookies = [...this.#ownCookies, ...ownCookies];
    this.headers.delete("set-cookie");
    for (const line of this.#ownCookies) this.headers.append("set-cookie", line);
    for (const [name, value] of this.#jar.issued) {
      if (name === "set-cookie") this.headers.append(name, value);
      else this.headers.set(name, value);
    }
  }
}

/** The URL of a page as the browser sent it: Express and Connect remove their prefix from the URL of a request. */
export function browserUrlOf({ url, runtime }: ServerRequest): URL {
  const { originalUrl } = (runtime?.node?.req ?? {}) as { readonly originalUrl?: unknown };
  const own = new URL(url);
  return typeof originalUrl === "string" && originalUrl.startsWith("/")
    ? new URL(own.origin + originalUrl)
    : own;
}

// --- Internal helpers ---

/** The pages that were redirected in the last minute, so that none is redirected again and again. */
const redirected = new LRUCache<string, true>({
  maxSize: 1_000_000,
  sizeCalculation: (_, sent) => sent.length,
  ttl: 60_000,
});

/** Headers of the page's own body and connection, which its calls don't have. */
const ofPage =
  /^(?:access-control-.*|connection|content-.*|expect|if-.*|keep-alive|range|te|trailer|transfer-encoding|upgrade)$/;

/**
 * The headers of the page's calls. A link on another site can open a page, so these headers say nothing about its calls.
 * A form of another site can send a page a POST, so then they do.
 */
function toCallHeaders({ method, headers }: ServerRequest): Headers {
  const isLink = method === "GET" || method === "HEAD";
  const next = new Headers();
  for (const [name, value] of headers) {
    const isOfLink = isLink && (name === "origin" || name.startsWith("sec-fetch-"));
    if (!isOfLink && !ofPage.test(name)) next.append(name, value);
  }
  return next;
}
