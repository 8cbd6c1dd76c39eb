import { HTTPError } from "h3";
import type { Random } from "../storage/random.ts";
import { maxIssues, problems, RpcError, type ProblemCode } from "../rpc/error.ts";
import { findJsonFault } from "../storage/documents/json-fault.ts";
import type { Redactor } from "../rpc/redaction/redactor.ts";
import { describeError, isInstance, type Logger } from "../shared/log.ts";
import { LeaseLostError } from "../storage/leases/lease.ts";
import { StorageUnavailableError } from "../storage/documents/unavailable.ts";
import { SessionLimitError } from "../storage/sessions/user-index.ts";
import { SessionEndedError } from "../storage/sessions/session.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { toProblemType } from "./problem-type.ts";
import type { RpcResponse } from "./response.ts";

/**
 * Creates the function that makes the response to a failed call (RFC 9457). The log gets the details of an internal
 * error, under the response's `instance`. Both are without secrets, although some schemas quote the rejected value.
 */
export function createProblems({ problemTypes }: StorefrontOptions, random: Random) {
  return function toProblem(error: unknown, redactor: Redactor, log: Logger): RpcResponse {
    const instance = `urn:uuid:${random.uuid()}`;
    const describe = (problem: RpcError) => {
      const type = toProblemType(problem.code, problemTypes);
      return describeProblem(problem, { type, instance }, redactor, log);
    };
    let response: RpcResponse;
    let unreadable: string | undefined;
    try {
      response = describe(toRpcError(error));
    } catch (failure) {
      // Reading the thrown value can throw, too: a revoked proxy, a getter, circular details.
      response = describe(new RpcError("internal_error"));
      unreadable = describeError(failure);
    }
    const level = levelOf(error);
    if (response.status >= 500 && level !== undefined) {
      const details = { instance, error: describeError(error) };
      log[level]("A call failed", unreadable === undefined ? details : { ...details, unreadable });
    }
    return response;
  };
}

// --- Internal helpers ---

/**
 * A commerce system that doesn't respond isn't an error of this server. While its circuit breaker is open, nothing is
 * logged, because one line has reported that already.
 */
function levelOf(error: unknown): "warn" | "error" | undefined {
  try {
    if (!isInstance(error, RpcError) || error.code !== "commerce_unavailable") return "error";
    return error.cause === undefined ? undefined : "warn";
  } catch {
    return "error";
  }
}

function describeProblem(
  problem: RpcError,
  { type, instance: urn }: { readonly type: string; readonly instance: string },
  redactor: Redactor,
  log: Logger,
): RpcResponse {
  const { status, code } = problem;
  // Other statuses mean success, or allow no body.
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    throw new RangeError(`An RpcError cannot have the status ${status}`);
  }
  const instance = status >= 500 ? urn : undefined;
  if (instance === undefined && problem.cause !== undefined) {
    log.debug("A call was rejected", { code, cause: describeError(problem.cause) });
  }
  const { title, detail, errors } = withoutSecrets(problem, redactor);
  const data = toSentData(problem, redactor, log);
  const omittedErrors = Math.max(0, (problem.errors?.length ?? 0) - maxIssues) || undefined;
  const { executed } = problem;
  const sent = { title, status, code, detail, errors, omittedErrors, data, executed, instance };
  return {
    status,
    code,
    body: JSON.stringify({ type, ...sent }),
    headers: [
      ...(problem.headers ?? []),
      ["content-type", "application/problem+json"],
      ["cache-control", "no-store"],
    ],
  };
}

/** The storefront's titles contain no secret, so they stay unchanged if a password is a common word. */
function withoutSecrets({ code, title, detail, errors }: RpcError, redactor: Redactor) {
  const isOurs = Object.hasOwn(problems, code) && problems[code as ProblemCode][1] === title;
  return {
    title: isOurs ? title : redactor.redact(title),
    detail: detail === undefined ? undefined : redactor.redact(detail),
    errors: errors?.slice(0, maxIssues).map(({ path, message }) => ({
      path: path.slice(0, maxPathLength).map((key) => shorten(key, maxKeyLength)),
      message: shorten(redactor.redact(shorten(message, searchedLength)), maxMessageLength),
    })),
  };
}

const maxPathLength = 40;
const maxKeyLength = 100;
const maxMessageLength = 300;
/** Longer than a sent message, so that no half of a secret remains at its end. */
const searchedLength = 2000;

/** Some schemas quote the whole rejected value in a message. */
function shorten<T extends string | number>(text: T, length: number): T {
  const isLong = typeof text === "string" && text.length > length;
  return isLong ? (`${text.slice(0, length - 1)}…` as T) : text;
}

/** Leaves out data that JSON can't hold, because the error itself matters more. */
function toSentData({ code, data }: RpcError, redactor: Redactor, log: Logger): unknown {
  if (data === undefined) return undefined;
  const fault = findJsonFault(data);
  if (fault === undefined) {
    // A copy of the data itself would lose its `toJSON`.
    const text = JSON.stringify(data) as string | undefined;
    return text === undefined ? undefined : redactor.redactJson(JSON.parse(text));
  }
  const { path, found } = fault;
  log.error("The data of an RpcError cannot be sent as JSON, so it is left out", {
    code,
    path,
    found,
  });
  return undefined;
}

function toRpcError(error: unknown): RpcError {
  if (!isInstance(error, Error)) return new RpcError("internal_error");
  if (error instanceof RpcError) return error;
  if (error instanceof SessionEndedError)
    return new RpcError("session_changed", { executed: true });
  if (error instanceof SessionLimitError) return new RpcError("too_many_sessions");
  if (error instanceof StorageUnavailableError || error instanceof LeaseLostError) {
    return new RpcError("storage_unavailable", { headers: { "retry-after": "1" } });
  }
  // h3 wraps errors that are not its own.
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

/** The codes for errors of h3 itself. */
const codeByStatus: Readonly<Record<number, ProblemCode>> = {
  400: "malformed_request",
  404: "unknown_path",
  413: "too_large",
} satisfies Record<number, keyof typeof problems>;
