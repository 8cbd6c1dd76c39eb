import { findNamedSecrets, maskSecrets } from "../../rpc/redaction/secret.ts";
import { Redactor } from "../../rpc/redaction/redactor.ts";
import type { RpcMethod, Verb } from "../../rpc/method.ts";
import type { Shop } from "../config/options.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { SessionTransport } from "../credentials/transport.ts";
import { maskHeader } from "./masks.ts";
import { readShownBody } from "./shown-body.ts";
import type { Visitor } from "./page-visitor.ts";

/** A call as it went over HTTP, without credentials and without secrets of its payload. */
export interface Exchange {
  readonly request: {
    /** For example `POST /api/rpc/login`. */
    readonly line: string;
    readonly headers: readonly (readonly [name: string, value: string])[];
    readonly body: string;
  };
  readonly response: {
    readonly status: number;
    readonly statusText: string;
    readonly headers: readonly (readonly [name: string, value: string])[];
    readonly body: string;
    readonly milliseconds: number;
  };
}

/** Sends a call as its visitor, through the storefront's own `fetch`: with its checks, limits, hooks, and log lines. */
export async function sendCall(
  call: {
    readonly visitor: Visitor;
    readonly shop: Shop;
    readonly transport: SessionTransport;
    readonly name: string;
    /** Absent if the shop has no such method: the storefront then says so. */
    readonly method: RpcMethod | undefined;
    readonly verb: Verb;
    /** `undefined` for a call without a body. */
    readonly payload: unknown;
    /** Other headers, for example `If-Match`. */
    readonly headers: Readonly<Record<string, string>>;
    /** The URL of the server, and the address of its client. */
    readonly origin: string;
    readonly ip: string | undefined;
  },
  basePath: string,
  credentials: Credentials,
  send: (request: Request) => Response | Promise<Response>,
): Promise<Exchange> {
  const { visitor, shop, transport, name, method, verb, payload, ip } = call;
  const path = `${basePath}/rpc/${encodeURIComponent(name)}`;
  const hasBody = verb !== "GET" && payload !== undefined;
  const headers = new Headers({
    "x-shop-id": String(shop.shopId),
    ...call.headers,
    ...(hasBody && { "content-type": "application/json" }),
    ...Object.fromEntries(visitor.headersFor(shop, transport, path)),
  });
  const query = (value: unknown) =>
    verb === "GET" && payload !== undefined
      ? `?payload=${encodeURIComponent(JSON.stringify(value))}`
      : "";
  const request = new Request(new URL(path + query(payload), call.origin), {
    method: verb,
    headers,
    body: hasBody ? JSON.stringify({ payload }) : null,
  });
  // The address of the page's own client, so that the limits for addresses apply.
  Object.defineProperty(request, "ip", { value: ip });
  const secretsBefore = visitor.secrets;
  const startedAt = performance.now();
  const response = await send(request);
  const body = await readShownBody(response);
  const milliseconds = performance.now() - startedAt;
  visitor.receive(response, shop, transport);

  const { masked, secrets } = maskSecrets(method?.input, payload);
  const redactor = new Redactor(() => [
    ...secrets,
    ...findNamedSecrets(payload),
    ...secretsBefore,
    ...visitor.secrets,
  ]);
  const shownPayload = redactor.redact(masked ?? payload);
  const toShown = (all: Headers) =>
    [...all].map(([key, value]) => {
      return [key, credentials.isCredentialHeader(key) ? maskHeader(key, value) : value] as const;
    });
  return {
    request: {
      line: `${verb} ${path}${query(shownPayload)}`,
      headers: toShown(headers),
      body: hasBody ? JSON.stringify({ payload: shownPayload }) : "",
    },
    response: {
      status: response.status,
      statusText: response.statusText,
      headers: toShown(response.headers),
      body: redactor.redact(body),
      milliseconds,
    },
  };
}
