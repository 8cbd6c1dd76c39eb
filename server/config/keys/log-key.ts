import type { Logger } from "../../../shared/log.ts";
import { hasFunctions, value } from "./config-key.ts";

/** The logger, and which calls get a line. */
export interface LogConfig {
  /** A logger as for `log` itself. Default: lines on standard output and standard error. */
  readonly logger?: Logger | undefined;
  /**
   * The logged calls: `all`, `errors` (status 400 or higher), or `slow` (see `slowerThan`, and status 500 or higher).
   * Default: none.
   */
  readonly calls?: "all" | "errors" | "slow" | undefined;
  /** Seconds from which a call is slow. Default: 1. */
  readonly slowerThan?: number | undefined;
}

/** The key `log`. */
export const logKey = value<Logger | LogConfig>(
  (found) => isLogger(found) || isLogConfig(found),
  'an object with the functions debug, info, warn and error; or { logger, calls: "all", "errors" or "slow", slowerThan: seconds }',
);

/** The parts of the key `log`. */
export function toLogConfig(log: Logger | LogConfig | undefined): LogConfig {
  return isLogger(log) ? { logger: log } : (log ?? {});
}

// --- Internal helpers ---

function isLogger(found: unknown): found is Logger {
  return hasFunctions(found, ["debug", "info", "warn", "error"]);
}

function isLogConfig(found: unknown): boolean {
  if (typeof found !== "object" || found === null) return false;
  const { logger, calls, slowerThan, ...strays } = found as Readonly<Record<string, unknown>>;
  return (
    Object.keys(strays).length === 0 &&
    // A logger of a class with a missing function has no keys of its own.
    Object.keys(found).length > 0 &&
    (logger === undefined || isLogger(logger)) &&
    (calls === undefined || ["all", "errors", "slow"].includes(calls as string)) &&
    (slowerThan === undefined || (typeof slowerThan === "number" && slowerThan > 0))
  );
}
