/**
 * The typed client for frontends.
 * @module storefront-core/client
 */
import type { Problem, RpcCallOptions, RpcClient } from "./client-types.ts";
import type { Issue } from "./error.ts";
import type { RpcMethods } from "./method.ts";

export type { RpcCallOptions, RpcClient } from "./client-types.ts";
export type { Issue } from "./error.ts";
/** A part of the inferred types of results, so other packages must be able to name it. */
export type { JsonValue } from "type-fest";

/** Options of {@link createRpcClient}. */
export interface RpcClientOptions {
  /** The server's URL, with or without a path, for example `https://shop.example`. `""` is the page's own origin. */
  readonly baseURL: string;
  readonly shopId: number;
  /** `basePath` of the server's config. @default "/api" */
  readonly basePath?: string;
  /** Headers of every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends the requests, for example the `fetch` of a framework. @default the global `fetch` */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Called if a write failed because the visitor's session has ended (`session_ended`). */
  readonly onSessionEnded?: (error: RpcClientError) => void;
}

/** A failed call, with the content of the server's problem+json (RFC 9457). */
export class RpcClientError extends Error {
  override readonly name = "RpcClientError";
  readonly status: number;
  /** The kind of error in one word, for example `invalid_input`; `no_problem` if the response is no problem+json. */
  readonly code: string;
  readonly detail: string | undefined;
  /** The errors of the payload, each with its path. */
  readonly errors: readonly Issue[];
  /** Data that the method's `RpcError` carries, for example the remaining stock. */
  readonly data: unknown;
  /** Whether the method ran; `undefined` if the server doesn't say. */
  readonly executed: boolean | undefined;

  constructor(status: number, problem: Problem) {
    super(problem.title);
    this.status = status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.data = problem.data;
    this.executed = problem.executed;
  }
}

/**
 * Creates a client for the methods of a server, typed by them: `createRpcClient<typeof methods>(…)`.
 *
 * Cookies travel along (`credentials: "include"`). The client repeats a call that failed with 409
 * `session_changed` before its method ran: once when its other calls are answered, once more a second later.
 * Calls throw {@link RpcClientError}, or the error of `fetch` if no response came.
 */
export function createRpcClient<Methods extends RpcMethods>(
  options: RpcClientOptions,
): RpcClient<Methods> {
  const calls = new Map<string, (payload?: unknown, call?: RpcCallOptions) => Promise<unknown>>();
  const attempts = new Set<Promise<unknown>>();
  return new Proxy({} as RpcClient<Methods>, {
    get(target, name) {
      // An object's own functions, such as `toString`, are not methods of the server.
      if (typeof name !== "string" || name in target) return Reflect.get(target, name);
      if (isProbe(name)) return undefined;
      const known = calls.get(name);
      if (known !== undefined) return known;
      const callRpcMethod = (payload?: unknown, call: RpcCallOptions = {}) =>
        callWithRepeats(options, attempts, { ...call, method: name, payload });
      calls.set(name, callRpcMethod);
      return callRpcMethod;
    },
  });
}

// --- Internal helpers ---

interface Call extends RpcCallOptions {
  readonly method: string;
  readonly payload: unknown;
}

/**
 * Names that libraries read, or call, to find out which kind of value they have: Promises, JSON, Vue, React, Jest, pino,
 * MongoDB. The server refuses a config with a method of such a name.
 */
function isProbe(name: string): boolean {
  return probe.test(name);
}

const probe =
  /^[^a-z]|^(?:then|catch|finally|toJSON|toBSON|inspect|nodeType|asymmetricMatch|hasAttribute|socket|setHeader)$/i;

/** @param attempts the requests of this client that have no response yet */
async function callWithRepeats(
  options: RpcClientOptions,
  attempts: Set<Promise<unknown>>,
  call: Call,
): Promise<unknown> {
  for (let repeats = 0; ; repeats++) {
    const attempt: Promise<unknown> = send(options, call).finally(() => attempts.delete(attempt));
    attempts.add(attempt);
    try {
      return await attempt;
    } catch (error) {
      if (!(error instanceof RpcClientError)) throw error;
      if (error.code === "session_ended") options.onSessionEnded?.(error);
      const isRepeatable = error.code === "session_changed" && error.executed === false;
      if (!isRepeatable || repeats === 2) throw error;
      await (repeats === 0 ? untilOthers(attempts, call.signal) : wait(1000, call.signal));
    }
  }
}

/** Waits until other requests are answered, one of which may bring the new cookie. @throws the signal's reason */
function untilOthers(
  attempts: ReadonlySet<Promise<unknown>>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (attempts.size === 0) return wait(200, signal);
  return orAborted(Promise.allSettled(attempts), signal);
}

function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<unknown> {
  return orAborted(new Promise((resolve) => setTimeout(resolve, milliseconds)), signal);
}

/** @throws the signal's reason */
async function orAborted(waiting: Promise<unknown>, signal: AbortSignal | undefined) {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const aborted = new Promise<void>((resolve) => {
    signal?.addEventListener("abort", () => resolve(), { signal: stop.signal });
  });
  await Promise.race([waiting, aborted]);
  stop.abort();
  signal?.throwIfAborted();
}

async function send(
  { baseURL, basePath = "/api", shopId, headers, fetch = globalThis.fetch }: RpcClientOptions,
  { method, payload, ...call }: Call,
): Promise<unknown> {
  const folders = [baseURL.replace(/\/+$/, ""), ...basePath.split("/").filter(Boolean)];
  const sent = new Headers(headers);
  for (const [name, value] of new Headers(call.headers)) sent.set(name, value);
  sent.set("content-type", "application/json");
  sent.set("x-shop-id", String(shopId));
  // A URL as it is, and plain headers: the `fetch` of a framework knows the page's origin, and may drop a `Headers`.
  const response = await fetch([...folders, "rpc", method].join("/"), {
    method: "POST",
    credentials: "include",
    headers: Object.fromEntries(sent),
    body: JSON.stringify({ payload }),
    ...(call.signal && { signal: call.signal }),
  });
  return readResult(response);
}

async function readResult(response: Response): Promise<unknown> {
  // A method's own `Response`, whatever its status.
  if (response.headers.has("storefront-response")) return response;
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

/** For a response that comes from another program, such as a proxy's error page, or that is cut off. */
function toProblem(status: number): Problem {
  return { title: `The response with status ${status} is not the server's`, code: "no_problem" };
}
