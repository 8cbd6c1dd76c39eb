import { HTTPError } from "h3";
import { randomUUID } from "uncrypto";
import { problems, RpcError, type ProblemCode } from "../rpc/error.ts";
import { DocumentMovedError } from "../rpc/owned.ts";
import type { Redactor } from "../rpc/redactor.ts";
import { describeError, type Logger } from "../storage/log.ts";
import { StorageUnavailableError } from "../storage/unavailable.ts";
import { SessionEndedError, SessionLimitError } from "../storage/user-sessions.ts";
import type { Answer } from "./answer.ts";

/**
 * The answer to a failed call (RFC 9457). What was not meant for the client stays here, with a log line
 * that the answer's `instance` leads to. Secrets of the call are in neither, though some schemas quote
 * what they refuse.
 */
export function toProblem(error: unknown, redactor: Redactor, log: Logger): Answer {
  const problem = toRpcError(error);
  const { status, code } = problem;
  const instance = status >= 500 ? `urn:uuid:${randomUUID()}` : undefined;
  if (instance !== undefined) log.error("A call failed", { instance, error: describeError(error) });
  const { title, detail, errors } = withoutSecrets(problem, redactor);
  const body = { type: "about:blank", title, status, code, detail, errors, instance };
  return {
    status,
    body: JSON.stringify(body),
    headers: [
      ...(problem.headers ?? []),
      ["content-type", "application/problem+json"],
      ["cache-control", "no-store"],
    ],
  };
}

// --- Internal helpers ---

/** Titles of our own hold no secret, and read oddly without a word that someone has for a password. */
function withoutSecrets({ code, title, detail, errors }: RpcError, redactor: Redactor) {
  const isOurs = Object.hasOwn(problems, code) && problems[code as ProblemCode][1] === title;
  return {
    title: isOurs ? title : redactor.redact(title),
    detail: redactor.redact(detail),
    errors: errors?.map(({ path, message }) => ({ path, message: redactor.redact(message) })),
  };
}

function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof SessionEndedError || error instanceof DocumentMovedError)
    return new RpcError("session_changed");
  if (error instanceof SessionLimitError) return new RpcError("too_many_sessions");
  if (error instanceof StorageUnavailableError) {
    return new RpcError("storage_unavailable", { headers: { "retry-after": "1" } });
  }
  // What a route throws that is not of its kind, h3 wraps.
  if (HTTPError.isError(error) && error.unhandled && error.cause) return toRpcError(error.cause);
  if (!HTTPError.isError(error) || error.unhandled || error.status >= 500) {
    return new RpcError("internal_error");
  }
  const code = codeByStatus[error.status];
  if (code !== undefined) return new RpcError(code);
  const { status } = error;
  const title = error.statusText ?? `HTTP status ${status}`;
  return new RpcError(`http_${status}`, { status, title });
}

/** What h3 itself refuses. */
const codeByStatus: Readonly<Record<number, ProblemCode>> = {
  400: "malformed_request",
  404: "unknown_path",
  413: "too_large",
} satisfies Record<number, keyof typeof problems>;
