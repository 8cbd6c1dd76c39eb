import type { Jsonify } from "type-fest";
import type { Issue } from "./error.ts";
import type { RpcMethod, RpcMethods } from "./method.ts";

/** The server's description of a failed call (RFC 9457). */
export interface Problem {
  readonly title: string;
  readonly code: string;
  readonly detail?: string;
  readonly errors?: readonly Issue[];
  readonly data?: unknown;
  /** Whether the method ran. */
  readonly executed?: boolean;
}

/** Options of one call. */
export interface RpcCallOptions {
  /** Cancels the call: it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Headers of this call. They win over the client's. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A function for each method of the server. */
export type RpcClient<Methods extends RpcMethods> = {
  readonly [Name in keyof Methods]: ClientMethod<Methods[Name]>;
};

// --- Internal helpers ---

type ClientMethod<Method> =
  Method extends RpcMethod<infer Payload, infer Output>
    ? undefined extends Payload
      ? (payload?: Payload, options?: RpcCallOptions) => Promise<Result<Output>>
      : (payload: Payload, options?: RpcCallOptions) => Promise<Result<Output>>
    : never;

/** The value after JSON. The server sends `null` and `undefined` as 204, which arrives as `undefined`. */
type Result<Output> = unknown extends Output
  ? unknown
  : Received<Exclude<Output, Empty>> | (Extract<Output, Empty> extends never ? never : undefined);

type Empty = null | undefined | void;

/** A `Response` arrives as one; everything else went through JSON. */
type Received<Output> = Output extends Response ? Response : Jsonify<Output>;
