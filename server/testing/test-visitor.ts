import type { RpcClient } from "../../rpc/client-types.ts";
import type { Problem } from "../../rpc/client/result.ts";
import type { RpcMethod, RpcMethods } from "../../rpc/method.ts";
import type { SessionTransport } from "../credentials/transport.ts";
import { CookieClient, type Answer, type Send } from "./cookie-client.ts";
import type { KnownSecrets } from "./known-secrets.ts";

/** The response to a call of a visitor. `body` has the method's result if `problem` is `undefined`. */
export interface VisitorAnswer<Result> extends Answer<Result> {
  /** The error response, if the call failed. */
  readonly problem: Problem | undefined;
}

/** A visitor of a shop: stores cookies and tokens, and sends them back. */
export interface Visitor<Methods extends RpcMethods> {
  readonly shopId: number;
  /** The cookies by name, as the server sent them. The visitor sends them until the server clears them. */
  readonly cookies: Map<string, string>;
  /** Calls a method. It doesn't throw if the call fails, and repeats nothing. */
  call<Name extends keyof Methods & string>(
    name: Name,
    ...args: CallArguments<RpcClient<Methods>[Name]>
  ): Promise<VisitorAnswer<Awaited<ReturnType<RpcClient<Methods>[Name]>>>>;
  /** Sends any request to the server, for example `visitor.request("/readyz")`. */
  request(path: string, init?: RequestInit): Promise<VisitorAnswer<unknown>>;
  /** A copy with the same cookies and token, for example a second tab or a thief. */
  clone(): Visitor<Methods>;
}

/** The payload, if the method has one, and headers. */
type CallArguments<Method extends (...args: never) => unknown> =
  undefined extends Parameters<Method>[0]
    ? [payload?: Parameters<Method>[0], headers?: Readonly<Record<string, string>>]
    : [payload: Parameters<Method>[0], headers?: Readonly<Record<string, string>>];

/** The visitor without the types of the methods. */
export class TestVisitor {
  readonly #server: VisitedServer;
  readonly #client: CookieClient;
  /** The headers with the visitor's tokens. */
  readonly #tokens: Headers;

  constructor(server: VisitedServer, tokens = new Headers()) {
    this.#server = server;
    this.#client = new CookieClient(server.send, server.shopId);
    this.#tokens = new Headers(tokens);
  }

  get shopId(): number {
    return this.#server.shopId;
  }

  get cookies(): Map<string, string> {
    return this.#client.cookies;
  }

  call(
    name: string,
    payload?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<VisitorAnswer<unknown>> {
    const { path, secrets, findMethod } = this.#server;
    secrets.addRequest(name, findMethod(name), payload);
    return this.request(path + name, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-shop-id": String(this.shopId),
        ...Object.fromEntries(this.#tokens),
        ...headers,
      },
      body: JSON.stringify({ payload }),
    });
  }

  async request(path: string, init: RequestInit = {}): Promise<VisitorAnswer<unknown>> {
    const { transports, secrets } = this.#server;
    const answer = await this.#client.request(path, init);
    const { headers } = answer;
    secrets.addCookies(headers);
    for (const { name, credentialHeaders, sendBack } of transports) {
      const token = headers.get(credentialHeaders.response);
      if (token === null) continue;
      secrets.add(token, `a ${name} token`);
      sendBack(this.#tokens, token);
    }
    const isProblem = headers.get("content-type")?.startsWith("application/problem+json");
    return { ...answer, problem: isProblem ? (answer.body as Problem) : undefined };
  }

  clone(): TestVisitor {
    const twin = new TestVisitor(this.#server, this.#tokens);
    for (const [name, value] of this.cookies) twin.cookies.set(name, value);
    return twin;
  }
}

/** The server and the shop that a visitor visits. */
interface VisitedServer {
  readonly shopId: number;
  /** Precedes the name of a method. */
  readonly path: string;
  /** The shop's transports that send tokens, and no cookies. */
  readonly transports: readonly SessionTransport[];
  /** Collects the secrets of the visitor. */
  readonly secrets: KnownSecrets;
  readonly findMethod: (name: string) => RpcMethod | undefined;
  readonly send: Send;
}
