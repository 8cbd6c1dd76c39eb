import { HTTPError } from "h3";

/** The error codes of this program, each with its status and title. */
export const problems = {
  malformed_request: [400, "The request is malformed"],
  not_batchable: [400, "This method can't be called in a batch"],
  not_logged_in: [401, "This needs a logged-in user"],
  invalid_credentials: [401, "The email address or the password is wrong"],
  reauthentication_required: [401, "This needs a user who has just proved who they are"],
  not_an_operator: [401, "This needs the admin token"],
  foreign_origin: [403, "Calls from this origin are not allowed"],
  wrong_password: [403, "The password is wrong"],
  invalid_token: [403, "The token is wrong, used, or expired"],
  email_not_verified: [403, "The email address must be verified first"],
  unknown_path: [404, "There is nothing at this path"],
  unknown_method: [404, "There is no such method"],
  unknown_shop: [404, "There is no such shop"],
  unknown_item: [404, "There is no such item"],
  unknown_session: [404, "There is no such session"],
  wrong_verb: [405, "This method doesn't accept this verb"],
  session_changed: [409, "The session has changed"],
  session_ended: [409, "The session has ended"],
  answer_not_kept: [409, "The call was executed, and its answer was too large to keep"],
  idempotency_pending: [409, "A call with this Idempotency-Key is still running"],
  out_of_stock: [409, "There are too few items in stock"],
  too_many_sessions: [409, "The user has as many sessions as there may be"],
  email_taken: [409, "There is an account with this email address"],
  basket_changed: [412, "The basket has changed"],
  too_large: [413, "The request is too large"],
  not_json: [415, "The request body must be application/json"],
  invalid_input: [422, "The payload does not match what the method takes"],
  limit_reached: [422, "A limit of this shop is reached"],
  idempotency_key_reused: [422, "This Idempotency-Key belongs to another call"],
  too_many_attempts: [429, "There were too many failed attempts"],
  headers_too_large: [431, "The headers of the request are too large"],
  client_gone: [499, "The caller did not wait"],
  internal_error: [500, "Something went wrong on the server"],
  commerce_failed: [502, "The shop system rejected the request"],
  commerce_unavailable: [503, "The shop system does not respond"],
  misconfigured: [503, "The config of this server is not fit for production"],
  storage_unavailable: [503, "The storage does not answer"],
  too_busy: [503, "The server checks too many passwords at once"],
  draining: [503, "The server is shutting down"],
  timeout: [504, "The call took too long"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** The codes of the errors of this program. docs/errors.md describes each. */
export type ProblemCode = keyof typeof problems;

/** One error in a payload: its path, and a message. */
export interface Issue {
  /** The keys from the payload down, for example `["items", 0, "quantity"]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The most issues in a response or a log line. Further ones are only counted. */
export const maxIssues = 20;

/** Details of an error. The client receives all of them, except `cause`. */
export interface RpcErrorOptions {
  /** A sentence about this occurrence of the error. */
  readonly detail?: string | undefined;
  readonly errors?: readonly Issue[] | undefined;
  readonly headers?: Record<string, string> | undefined;
  /** JSON for the client, for example `{ remaining: 3 }`. The call's secrets in it are replaced. */
  readonly data?: unknown;
  /** Whether the method ran before it failed; absent if the code says that already. */
  readonly executed?: boolean | undefined;
  /** Stays on the server, which logs it. */
  readonly cause?: unknown;
}

/**
 * An error that the client receives, as `application/problem+json` (RFC 9457).
 *
 * Use a {@link ProblemCode}, or your own code, status, and title.
 */
export class RpcError extends HTTPError {
  // Keep the `name` of HTTPError: h3 recognizes its errors by it.
  readonly code: string;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: readonly Issue[] | undefined;
  override readonly cause: unknown;
  readonly executed: boolean | undefined;

  constructor(code: ProblemCode, options?: RpcErrorOptions);
  constructor(
    code: string,
    options: RpcErrorOptions & { readonly status: number; readonly title: string },
  );
  constructor(
    code: string,
    options: RpcErrorOptions & { readonly status?: number; readonly title?: string } = {},
  ) {
    const [knownStatus, knownTitle] = Object.hasOwn(problems, code)
      ? problems[code as ProblemCode]
      : ([500, code] as const);
    const { status = knownStatus, title = knownTitle, detail, headers, data, cause } = options;
    const message = detail === undefined ? title : `${title}: ${detail}`;
    super({ status, message, ...(headers && { headers }), data, cause });
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.errors = options.errors;
    // h3 sets `cause` to all options.
    this.cause = cause;
    this.executed = options.executed;
  }
}
