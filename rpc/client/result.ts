import type { Issue } from "../error.ts";

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

/** A failed call, with the content of the server's problem+json (RFC 9457). */
export class RpcClientError extends Error {
  override readonly name = "RpcClientError";
  readonly status: number;
  /** The kind of error in one word, for example `invalid_input`; `no_problem` if the response isn't problem+json. */
  readonly code: string;
  readonly detail: string | undefined;
  /** The errors of the payload, each with its path. */
  readonly errors: readonly Issue[];
  /** Data that the method's `RpcError` carries, for example the remaining stock. */
  readonly data: unknown;
  /** Whether the method ran; `undefined` if the server doesn't say. */
  readonly executed: boolean | undefined;
  /** The header `Retry-After`, in seconds. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: Problem, retryAfter?: number) {
    super(problem.title);
    this.status = status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.data = problem.data;
    this.executed = problem.executed;
    this.retryAfter = retryAfter;
  }
}

/** The network, or a proxy, lost a call or its response. The cause is the error of `fetch`. */
export class LostError extends Error {}

/** @throws LostError */
export async function orLost<T>(receiving: Promise<T>): Promise<T> {
  try {
    return await receiving;
  } catch (cause) {
    throw new LostError("", { cause });
  }
}

/** The content type of a redirect, as the server sends it to this client. */
export const redirectType = "application/vnd.storefront-redirect+json";

/** Reads the result of a call from its response. @throws RpcClientError; LostError */
export async function readResult(response: Response): Promise<unknown> {
  const { status, headers } = response;
  const type = (headers.get("content-type") ?? "").split(";", 1)[0];
  // A method's own `Response`, whatever its status.
  if (headers.has("storefront-response")) {
    return type === redirectType ? toRedirect(response) : response;
  }
  if (status === 204) return undefined;
  const body = parse(await orLost(response.text()));
  if (response.ok && type === "application/json" && body !== undefined) return body;
  throw toError(status, type === "application/problem+json" ? body : undefined, headers);
}

/** Creates the error of a call. @param body the parsed body; no problem if another program, such as a proxy, sent it */
export function toError(status: number, body: unknown, headers: Headers): RpcClientError {
  const seconds = Number(headers.get("retry-after") ?? NaN);
  const problem = hasCode(body)
    ? body
    : { title: `The response with status ${status} is not the server's`, code: "no_problem" };
  return new RpcClientError(status, problem, seconds >= 0 ? seconds : undefined);
}

// --- Internal helpers ---

/** Restores a redirect. Its location is absolute, if the URL of the response is known. */
async function toRedirect(response: Response): Promise<Response> {
  const { status, location } = await orLost(response.json());
  const url = URL.canParse(location, response.url)
    ? new URL(location, response.url).href
    : location;
  return new Response(null, { status, headers: { location: url } });
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
