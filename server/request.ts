import type { HTTPEvent } from "h3";
import type { ServerRequest } from "srvx";
import { RpcError } from "../rpc/error.ts";
import { readForwarded, type Forwarded } from "./forwarded.ts";
import type { ProxyTrust } from "./trusted-proxies.ts";

/** A request as the client sent it, by the reports of trusted proxies. */
export class RequestEvent implements HTTPEvent {
  /** h3 replaces it if it limits the size of the body. */
  req: ServerRequest;
  readonly headers: Headers;
  /** Whether the request has a valid URL. */
  readonly hasUrl: boolean;
  readonly #trusts: ProxyTrust;
  readonly #client: ServerRequest;
  #forwarded: Forwarded | undefined;
  #url: URL | undefined;

  /** @param client the request that came from the client, if a page makes this one while the server renders it */
  constructor(request: ServerRequest, trusts: ProxyTrust, client = request) {
    this.req = request;
    this.#client = client;
    this.headers = request.headers;
    this.hasUrl = hasUrl(request);
    this.#trusts = trusts;
  }

  /** The URL that the client sent. It is parsed at the first read, and most calls never read it. */
  get url(): URL {
    return (this.#url ??= this.#readUrl());
  }

  /** The header `Origin`; `null` also without a URL, because the origin can't be compared with it. */
  get origin(): string | null {
    return this.hasUrl ? this.headers.get("origin") : null;
  }

  /** The client's address. */
  get ip(): string | undefined {
    return this.#readForwarded().ip;
  }

  /** @throws RpcError `malformed_request` (RFC 9112, 3.2) */
  assertUrl(): void {
    if (this.hasUrl) return;
    throw new RpcError("malformed_request", { detail: "The Host header is not a valid host" });
  }

  #readForwarded(): Forwarded {
    return (this.#forwarded ??= readForwarded(this.#client, this.#trusts));
  }

  #readUrl(): URL {
    this.assertUrl();
    const url = new URL(this.req.url);
    const { protocol = url.protocol, host = url.host } = this.#readForwarded();
    if (protocol === url.protocol && host === url.host) return url;
    return new URL(`${protocol}//${host}${url.pathname}${url.search}`);
  }
}

// --- Internal helpers ---

/** The latest valid Host. Most requests have the same one, and parsing it takes as long as finding the method. */
let validHost: string | undefined;

/** Whether the Host of a request makes a URL, which `x:99999` does not. A `Request` always has a URL. */
function hasUrl(request: ServerRequest): boolean {
  const node = request.runtime?.node?.req;
  if (node === undefined || node.headers.host === validHost) return true;
  try {
    // srvx throws if it has to normalize the path.
    if (!URL.canParse(request.url)) return false;
  } catch {
    return false;
  }
  // A target with a host of its own says nothing about the header.
  if (node.url?.startsWith("/")) validHost = node.headers.host;
  return true;
}
