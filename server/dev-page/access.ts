import { RpcError } from "../../rpc/error.ts";
import type { StorefrontOptions } from "../config/options.ts";
import { isHost } from "../forwarded.ts";
import { createTokenCheck } from "../operator.ts";
import { createPeerLookup, createProxyTrust } from "../peer.ts";
import type { RequestEvent } from "../request.ts";
import { ShopHosts } from "../shop-hosts.ts";

/** Creates the functions that decide who can use the development page of a config. */
export function createAccess(options: StorefrontOptions) {
  const { devPage, log } = options;
  const peers = createPeerLookup(options);
  const isLoopback = createProxyTrust(["loopback"]);
  const isKnownHost = createHostCheck(options);
  const isToken = createTokenCheck(devPage.tokens);

  /** Checks the token, if the config has one. @throws RpcError `dev_page_token_required` */
  function assertToken({ headers, ip }: RequestEvent): void {
    if (devPage.tokens.length === 0) return;
    const given = readPassword(headers);
    if (isToken(given)) return;
    if (given !== undefined) log.warn("A wrong token of the development page was rejected", { ip });
    throw new RpcError("dev_page_token_required", {
      status: 401,
      title: "This needs the token of the development page",
      detail: "Enter any user name, and a value of devPage.token as the password",
      headers: { "www-authenticate": 'Basic realm="Storefront development page", charset="UTF-8"' },
    });
  }

  /**
   * Checks that a request comes from this machine without a proxy, by a known host, and from the page itself.
   * @throws RpcError `unknown_path` if there is no page; `dev_page_refused`
   */
  function assertLocal(event: RequestEvent): void {
    if (devPage.off !== undefined) {
      throw new RpcError("unknown_path", { detail: reasons[devPage.off] });
    }
    const peer = peers.connected(event.req);
    if (!isLoopback(peer)) throw refuse(describePeer(peer));
    const proxy = [...event.headers.keys()].find((name) => ofProxies.test(name));
    if (proxy !== undefined) {
      throw refuse(
        `The request has the header ${proxy}, so it came through a proxy. Open the page without the proxy, at the port that this server listens on`,
      );
    }
    const foreign = hostsOf(event).find((host) => !isKnownHost(host));
    if (foreign !== undefined) {
      throw refuse(
        `The request names the host ${JSON.stringify(foreign.slice(0, 200))}. Open the page at localhost, 127.0.0.1, [::1], a shop's "host", or the host of publicUrl`,
      );
    }
    assertOwnOrigin(event);
  }

  return { assertLocal, assertToken };
}

// --- Internal helpers ---

const reasons = {
  production:
    "The development page is off in production. To use it there, set devPage.token, and open it on the machine itself or through a tunnel: see docs/dev-page.md",
  "several processes":
    "The development page remembers its visitors in one process, and several processes serve this port. Use storefront dev, or storefront start without --workers",
};

function refuse(detail: string): RpcError {
  const title = "The development page rejects this request";
  return new RpcError("dev_page_refused", { status: 403, title, detail });
}

function describePeer(peer: string | undefined): string {
  const remedy =
    "Open it on the machine that runs the server, or through a tunnel, for example: ssh -L 3000:localhost:3000 <machine>";
  return peer === undefined
    ? `The server doesn't know the address of this connection, and the page accepts only connections from its own machine. Use storefront dev`
    : `The page accepts only connections from its own machine, and this one comes from ${peer}. ${remedy}`;
}

/** The headers that proxies add. A proxy on this machine hides that its client is on another one. */
const ofProxies = /^(?:forwarded|via|x-forwarded-.*|x-real-ip|cf-connecting-ip|true-client-ip)$/;

/** The hosts that a request names: usually the same one in its URL and in `Host`. */
function hostsOf({ req, headers }: RequestEvent): readonly string[] {
  const host = headers.get("host");
  const { host: ofUrl } = new URL(req.url);
  return host === null ? [ofUrl] : [host, ofUrl];
}

/**
 * Creates the check of hosts. With DNS rebinding, the name of an attacker's site resolves here, so the browser treats
 * the development page as a part of that site.
 */
function createHostCheck({ shops, publicUrl }: StorefrontOptions): (host: string) => boolean {
  const ofShops = shops.map((shop) => new ShopHosts(shop.public.host));
  const local = ["localhost", "127.0.0.1", "[::1]"];
  const known = publicUrl === undefined ? local : [...local, new URL(publicUrl).hostname];
  return (host) => {
    if (!isHost(host)) return false;
    const url = new URL(`http://${host}`);
    return known.includes(url.hostname) || ofShops.some((hosts) => hosts.rank(url) > 0);
  };
}

/**
 * Checks that the page itself sent a request. All its data are responses to POST, which browsers send with `Origin`. So
 * if a proxy rewrites `Host` without a trace, the page loads, but gets no data.
 */
function assertOwnOrigin(event: RequestEvent): void {
  const { headers } = event;
  // A read only gets a file of the page. Browsers send no `Origin` with it.
  const isFile = event.isRead;
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  const [host = ""] = hostsOf(event);
  const isOwn = origin !== null && isSameHost(origin, host);
  const isOwnSite = site === null || site === "same-origin" || (isFile && site === "none");
  if (isOwnSite && (isOwn || (isFile && origin === null))) return;
  const who =
    origin === null
      ? "A request without the header Origin"
      : `A page at ${JSON.stringify(origin.slice(0, 200))}`;
  throw refuse(
    `${who}${site === null ? "" : ` and with Sec-Fetch-Site: ${site.slice(0, 50)}`} sent this request. Only the development page itself gets data. Open it by typing its address`,
  );
}

function isSameHost(origin: string, host: string): boolean {
  if (!/^https?:\/\//.test(origin) || !URL.canParse(origin)) return false;
  const url = new URL(origin);
  return url.origin === origin && url.host === new URL(`${url.protocol}//${host}`).host;
}

/** The password of Basic authentication (RFC 7617). */
function readPassword(headers: Headers): string | undefined {
  const [, encoded] = /^basic +([\w+/=-]+) *$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString();
  const colon = text.indexOf(":");
  return colon === -1 ? undefined : text.slice(colon + 1);
}
