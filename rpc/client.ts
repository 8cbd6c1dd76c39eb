import type { Fault } from "./error.ts";
import type { RpcMethod, RpcMethods } from "./method.ts";

/** Where a storefront's methods are, and for which shop. */
export interface RpcClientOptions {
  /** The server's address, as `https://shop.example`; `""` for the page's own. */
  readonly baseURL: string;
  readonly shopId: number;
  /** As in the server's config. @default "/api" */
  readonly basePath?: string;
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** @default the global one */
  readonly fetch?: (request: Request) => Response | Promise<Response>;
}

/** A failed call, with what the server's problem+json (RFC 9457) says. */
export class RpcClientError extends Error {
  override readonly name = "RpcClientError";
  readonly status: number;
  /** Says what went wrong in a word, as `invalid_input`; `no_problem` where the answer is no problem+json. */
  readonly code: string;
  readonly detail: string | undefined;
  /** What is wrong with the payload, and where. */
  readonly errors: readonly Fault[];

  constructor(status: number, problem: Problem) {
    super(problem.title);
    this.status = status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
  }
}

/** What arrives of a value that went through JSON. */
export type Wire<T> = T extends { toJSON(): infer Json }
  ? Wire<Json>
  : T extends (...args: never[]) => unknown
    ? never
    : T extends object
      ? { [Key in keyof T]: Wire<T[Key]> }
      : T;

/** A function for each method of the server. */
export type RpcClient<Methods extends RpcMethods> = {
  readonly [Name in keyof Methods]: ClientMethod<Methods[Name]>;
};

/**
 * Makes a client for the methods of a server, typed by them: `createRpcClient<typeof methods>(…)`.
 * Cookies travel along (`credentials: "include"`).
 *
 * Its calls throw {@link RpcClientError}, or what `fetch` throws where no answer came.
 */
export function createRpcClient<Methods extends RpcMethods>(
  options: RpcClientOptions,
): RpcClient<Methods> {
  return new Proxy(Object.create(null) as RpcClient<Methods>, {
    get(_, name) {
      // Were there a `then`, to await the client would call the server.
      if (typeof name !== "string" || name === "then") return undefined;
      return function callRpcMethod(payload?: unknown) {
        return call(options, name, payload);
      };
    },
  });
}

// --- Internal helpers ---

interface Problem {
  readonly title: string;
  readonly code: string;
  readonly detail?: string;
  readonly errors?: readonly Fault[];
}

type ClientMethod<Method> =
  Method extends RpcMethod<infer Payload, infer Output>
    ? undefined extends Payload
      ? (payload?: Payload) => Promise<Answer<Output>>
      : (payload: Payload) => Promise<Answer<Output>>
    : never;

/** Nothing arrives as `undefined`. */
type Answer<Output> = unknown extends Output
  ? unknown
  : Wire<Exclude<Output, null | undefined | void>> | EmptyAnswer<Output>;
type EmptyAnswer<Output> = [Extract<Output, null | undefined | void>] extends [never]
  ? never
  : undefined;

async function call(
  { baseURL, basePath = "/api", shopId, headers, fetch = globalThis.fetch }: RpcClientOptions,
  method: string,
  payload: unknown,
): Promise<unknown> {
  const sent = new Headers(headers);
  sent.set("content-type", "application/json");
  sent.set("x-shop-id", String(shopId));
  const response = await fetch(
    new Request(`${baseURL}${basePath}/rpc/${method}`, {
      method: "POST",
      credentials: "include",
      headers: sent,
      body: JSON.stringify({ payload }),
    }),
  );
  if (response.status === 204) return undefined;
  const type = (response.headers.get("content-type") ?? "").split(";", 1)[0];
  const body = parse(await response.text());
  if (response.ok && type === "application/json" && body !== undefined) return body;
  const isProblem = type === "application/problem+json" && hasCode(body);
  throw new RpcClientError(response.status, isProblem ? body : toProblem(response.status));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hasCode(body: unknown): body is Problem {
  return typeof (body as Partial<Problem> | null | undefined)?.code === "string";
}

/** For what does not come from the server: a proxy's page, or half an answer. */
function toProblem(status: number): Problem {
  return { title: `The answer with status ${status} is not the server's`, code: "no_problem" };
}
