import type { HTTPEvent } from "h3";
import type { ServerRequest } from "srvx";
import { readForwarded, type Forwarded } from "./forwarded.ts";
import type { ProxyTrust } from "./trusted-proxies.ts";

/** A request as the client sent it, by the reports of trusted proxies. */
export interface Incoming extends HTTPEvent {
  /** The URL that the client sent; parsed at the first read, which most calls never need. */
  readonly url: URL;
  /** The client's address. */
  readonly ip: string | undefined;
  readonly headers: Headers;
}

/** A request, whether h3 or the fast path routed it. */
export class IncomingRequest implements Incoming {
  req: ServerRequest;
  readonly #trusts: ProxyTrust;
  #forwarded: Forwarded | undefined;
  #url: URL | undefined;

  constructor(request: ServerRequest, trusts: ProxyTrust) {
    this.req = request;
    this.#trusts = trusts;
  }

  get url(): URL {
    return (this.#url ??= this.#readUrl());
  }

  get headers(): Headers {
    return this.req.headers;
  }

  get ip(): string | undefined {
    return this.#readForwarded().ip;
  }

  #readForwarded(): Forwarded {
    return (this.#forwarded ??= readForwarded(this.req, this.#trusts));
  }

  #readUrl(): URL {
    const url = new URL(this.req.url);
    const { protocol = url.protocol, host = url.host } = this.#readForwarded();
    if (protocol === url.protocol && host === url.host) return url;
    return new URL(`${protocol}//${host}${url.pathname}${url.search}`);
  }
}
