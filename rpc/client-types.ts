import type { AfterJson } from "./after-json.ts";
import type { RpcClientError } from "./client/result.ts";
import type { RpcMethod, RpcMethods } from "./method.ts";

/** Stores the bearer token of the client, for example in the key chain of a phone. */
export interface TokenStore {
  /** The latest token, or nothing. */
  get(): string | null | undefined | Promise<string | null | undefined>;
  /** Stores a new token, or deletes the token. */
  set(token: string | undefined): void | Promise<void>;
}

/** Options of `createRpcClient`. */
export interface RpcClientOptions {
  /** The server's URL, with or without a path, for example `https://shop.example`. `""` is the page's own origin. */
  readonly baseURL: string;
  readonly shopId: number;
  /** `basePath` of the server's config. @default "/api" */
  readonly basePath?: string;
  /** Headers of every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Sends the requests, for example the `fetch` of a framework. If `baseURL` is relative, it gets the URL and the
   * `RequestInit` instead of a `Request`, because only a browser or a framework knows the page's origin.
   * @default the global `fetch`
   */
  readonly fetch?: (request: Request) => Response | Promise<Response>;
  /** Whether calls that are made in one tick travel as one request. @default false */
  readonly batch?: boolean;
  /** Methods that change nothing. Methods whose names begin with `get` or `list` are reads in any case. */
  readonly reads?: readonly string[];
  /**
   * Methods that the client never repeats after a lost response: public ones and ones with secrets, if they have an
   * effect. Names that contain `login`, `regist`, `authent`, `passw`, or `verif` are never repeated in any case.
   */
  readonly neverRepeat?: readonly string[];
  /** Stores the bearer token of a shop with `tokenMethod: "bearer"`. Calls then send no cookies. */
  readonly token?: TokenStore;
  /** `session.authTokenHeaderKey` of the server's config. @default "storefront-auth-token" */
  readonly authTokenHeaderKey?: string;
  /** Called if a write failed because the visitor's session has ended (`session_ended`). */
  readonly onSessionEnded?: (error: RpcClientError) => void;
}

/** Options of one call. */
export interface RpcCallOptions {
  /** Cancels the call: it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Headers of this call. They win over the client's. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Seconds, including repeats. Then the call rejects with a `TimeoutError`. @default none */
  readonly timeout?: number | undefined;
}

/** One call, as the client sends it. */
export interface ClientCall {
  readonly method: string;
  /** The JSON object with the payload. */
  readonly body: string;
  readonly headers: RpcCallOptions["headers"];
  readonly signal: AbortSignal | undefined;
  /** The `Idempotency-Key`, unless the headers have one. With it, a lost call is repeated. */
  readonly key?: string | undefined;
}

/** A function for each method of the server. */
export type RpcClient<Methods extends RpcMethods> = {
  readonly [Name in keyof Methods]: Methods[Name] extends RpcMethod<infer Payload, infer Output>
    ? undefined extends Payload
      ? (payload?: Payload, options?: RpcCallOptions) => Promise<Result<Output>>
      : (payload: Payload, options?: RpcCallOptions) => Promise<Result<Output>>
    : never;
};

// --- Internal helpers ---

/**
 * The value after JSON. A `Response` arrives as one. The server sends `null` and `undefined` as 204, which arrives as
 * `undefined`.
 */
type Result<Output> = unknown extends Output
  ? unknown
  : Output extends null | undefined | void
    ? undefined
    : Output extends Response
      ? Response
      : AfterJson<Output>;
