import type { Logger } from "./log.ts";

/** A logger that takes the details before the message, as pino and bunyan do. */
export interface DetailsFirstLogger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/**
 * Wraps a logger that takes its details before the message. pino and bunyan don't need it.
 * @example log: detailsFirst(ownLog)
 */
export function detailsFirst(log: DetailsFirstLogger): Logger {
  return {
    debug: (message, details = {}) => log.debug(details, message),
    info: (message, details = {}) => log.info(details, message),
    warn: (message, details = {}) => log.warn(details, message),
    error: (message, details = {}) => log.error(details, message),
  };
}

/** The logger, or a wrapper that passes the arguments in the logger's order. */
export function inExpectedOrder(log: Logger): Logger {
  return isPino(log) || isBunyan(log) ? detailsFirst(log as object as DetailsFirstLogger) : log;
}

// --- Internal helpers ---

/** Recognizes pino by a symbol that it shares with its tools; child loggers have it, too. */
function isPino(log: Logger): boolean {
  return Symbol.for("pino.serializers") in log;
}

function isBunyan(log: Logger): boolean {
  const { addStream, addSerializers } = log as {
    readonly addStream?: unknown;
    readonly addSerializers?: unknown;
  };
  return typeof addStream === "function" && typeof addSerializers === "function";
}
