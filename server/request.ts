import type { HTTPEvent } from "h3";
import type { ServerRequest } from "srvx";
import { RpcError } from "../rpc/error.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { isHost, type Forwarded } from "./forwarded.ts";

/** The most characters that the names and values of a request's headers may have together. */
const maxHeaderSize = 16_384;

/** The most header fields that a request may have. */
const maxHeaderCount = 200;

/**
 * Node's own limit, which also counts the first line and the separators. Node responds without a body, so its limit is
 * higher, and ours applies first.
 */
export const nodeHeaderSize = 2 * maxHeaderSize;

/** Node silently drops the fields above its limit; one more than the storefront's limit shows that there were too many. */
export const nodeHeaderCount = maxHeaderCount + 1;

/** A request as the client sent it, by the reports of trusted proxies. */
export class RequestEvent implements HTTPEvent {
  /** h3 replaces it if it limits the size of the body. */
  req: ServerRequest;
  readonly headers: Headers;
  /** Whether the request has a valid URL. */
  readonly hasUrl: boolean;
  /** The header `Origin`; `null` also without a URL, because the origin can't be compared with it. */
  readonly origin: string | null;
  readonly #readForwarded: (request: ServerRequest) => Forwarded;
  readonly #client: ServerRequest;
  #forwarded: Forwarded | undefined;
  #url: URL | undefined;

  /** @param client the request that came from the client, if a page makes this one while the server renders it */
  constructor(
    request: ServerRequest,
    readForwarded: (request: ServerRequest) => Forwarded,
    client = request,
  ) {
    this.req = request;
    this.#client = client;
    this.headers = request.headers;
    this.hasUrl = hasUrl(request);
    this.origin = this.hasUrl ? request.headers.get("origin") : null;
    this.#readForwarded = readForwarded;
  }

  /** The URL that the client sent. It is parsed at the first read, and most calls never read it. */
  get url(): URL {
    return (this.#url ??= this.#readUrl());
  }

  /** The header `traceparent`. Each call with a log line reads it, and Node's own object is four times as fast. */
  get traceparent(): string | null {
    const { runtime, headers } = this.req;
    if (runtime?.node === undefined) return headers.get("traceparent");
    const value = runtime.node.req.headers["traceparent"];
    return typeof value === "string" ? value : null;
  }

  /** Whether the HTTP method is safe: the request only reads (RFC 9110, 9.2.1). */
  get isRead(): boolean {
    const { method } = this.req;
    return method === "GET" || method === "HEAD";
  }

  /** Whether this is a preflight request (CORS). */
  get isPreflight(): boolean {
    return this.req.method === "OPTIONS" && this.headers.has("access-control-request-method");
  }

  /** The client's address. */
  get ip(): string | undefined {
    return this.#proxies.ip;
  }

  /** Whether `trustProxy` contains the peer. */
  get isTrusted(): boolean {
    return this.#proxies.isTrusted;
  }

  /** Keeps a worker running until the work after the response is done. */
  waitUntil(work: Promise<void>): void {
    void this.#client.waitUntil?.(work);
  }

  /** Rejects headers that are too large, and an invalid `Host`. @throws RpcError as {@link assertHeaders} */
  assertValid(): void {
    assertHeaders(this.req);
    this.#assertUrl();
  }

  /** @param allowed the header `Allow`. @throws RpcError `wrong_verb`, with this header */
  assertVerb(allowed: string): void {
    if (allowed.split(", ").includes(this.req.method)) return;
    throw new RpcError("wrong_verb", { headers: { allow: allowed } });
  }

  /** @throws RpcError `malformed_request` (RFC 9112, 3.2) */
  #assertUrl(): void {
    if (this.hasUrl) return;
    throw new RpcError("malformed_request", { detail: "The Host header is not a valid host" });
  }

  get #proxies(): Forwarded {
    return (this.#forwarded ??= this.#readForwarded(this.#client));
  }

  #readUrl(): URL {
    this.#assertUrl();
    const url = new URL(this.req.url);
    const { protocol = url.protocol, host = hostOf(this.req, url) ?? url.host } = this.#proxies;
    if (protocol === url.protocol && host === url.host) return url;
    return new URL(`${protocol}//${host}${url.pathname}${url.search}`);
  }
}

/** Creates a check of the first call: it logs which limit is off if the host gives no address of clients. */
export function createAddressCheck({ loginAttempts, log }: StorefrontOptions) {
  let isDue = loginAttempts !== undefined;
  return (event: RequestEvent): void => {
    if (!isDue) return;
    isDue = false;
    if (event.ip === undefined) log.warn(withoutAddress);
  };
}

// --- Internal helpers ---

const withoutAddress =
  "The server around the storefront gives no IP address of clients, so the limit loginAttempts.perAddress is off: failed logins count per account only, and registrations are unlimited. Set clientAddress: see docs/mounting.md";

/**
 * The host that the client sent, if the URL of the request has another one. Some frameworks, for example Next.js, set the
 * URL to their own address, and leave `Host` as the browser sent it. srvx replaces a host with a dot at its end.
 */
function hostOf({ runtime, headers }: ServerRequest, url: URL): string | undefined {
  const node = runtime?.node?.req;
  if (node !== undefined && url.hostname !== replacedHost) return undefined;
  const target = node?.url ?? "";
  const host = URL.canParse(target) ? new URL(target).host : headers.get("host");
  return host !== null && isHost(host) ? host.toLowerCase() : undefined;
}

/** The host that srvx writes in place of one that it doesn't know as valid. */
const replacedHost = "_invalid_";

/**
 * Rejects headers (cookies are among them) that are too large or too many, before any is parsed.
 * @throws RpcError `headers_too_large` (RFC 6585, 431); `malformed_request` for two `Host` fields (RFC 9112, 3.2)
 */
function assertHeaders(request: ServerRequest): void {
  // Node's raw headers are faster than `Headers`, which join fields of one name.
  const texts = request.runtime?.node?.req.rawHeaders ?? [...request.headers].flat();
  let size = 0;
  let hosts = 0;
  for (let index = 0; index < texts.length; index += 2) {
    const name = texts[index] as string;
    size += name.length + (texts[index + 1] as string).length;
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  if (size > maxHeaderSize) {
    throw tooLarge(`They have ${size} characters; the limit is ${maxHeaderSize}`);
  }
  if (texts.length / 2 > maxHeaderCount) {
    throw tooLarge(`There are more than ${maxHeaderCount} fields, which is the limit`);
  }
  if (hosts > 1) {
    throw new RpcError("malformed_request", { detail: "There is more than one Host header" });
  }
}

function tooLarge(detail: string): RpcError {
  return new RpcError("headers_too_large", { detail });
}

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
