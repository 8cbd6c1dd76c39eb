/**
 * The destination of log lines: `console`, pino, winston, bunyan, and consola all fit. If another logger takes its
 * details before the message, wrap it with `detailsFirst`.
 */
export interface Logger {
  debug(message: string, details?: Record<string, unknown>): void;
  info(message: string, details?: Record<string, unknown>): void;
  warn(message: string, details?: Record<string, unknown>): void;
  error(message: string, details?: Record<string, unknown>): void;
}

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

/** Returns a logger that adds the same details to every line. */
export function withDetails(log: Logger, shared: Record<string, unknown>): Logger {
  return mapLog(log, (message, details) => [message, { ...shared, ...details }]);
}

/** Returns a logger that changes each line before it is written. */
export function mapLog(log: Logger, change: (...line: Line) => Line): Logger {
  return new LevelLog((level, message, details) => {
    let line: Line;
    // Details that cannot be read never fail the call that logs them.
    try {
      line = change(message, details);
    } catch {
      // The message or the details can contain secrets.
      line = ["A log line could not be prepared", undefined];
    }
    log[level](...line);
  });
}

/**
 * Wraps a logger so that it never throws: a failing log never changes a response. If the logger fails to write lines,
 * they are dropped, and a warning with their number follows the next line that it writes.
 */
export function createSafeLog(log: Logger): Logger {
  if (safeLogs.has(log)) return log;
  const target = inExpectedOrder(log);
  let dropped = 0;

  /** @param lines the number of lines that are lost if this write fails */
  function tryWrite(lines: number, level: keyof Logger, ...line: Line): boolean {
    const drop = () => void (dropped += lines);
    try {
      const writing: unknown = target[level](...line);
      // A custom logger can be asynchronous, and nothing else would handle its rejection.
      if (writing instanceof Promise) writing.catch(drop);
      return true;
    } catch {
      drop();
      return false;
    }
  }

  const safe = new LevelLog((level, message, details) => {
    if (!tryWrite(1, level, message, details) || dropped === 0) return;
    const count = dropped;
    dropped = 0;
    tryWrite(count, "warn", "Log lines were dropped, because the log failed", { count });
  });
  safeLogs.add(safe);
  return safe;
}

/**
 * Describes an error for the log: its stack, and the stacks of its causes. It leaves out other fields, because clients
 * of other systems put their requests into errors, with passwords and tokens. Never throws.
 */
export function describeError(error: unknown): string {
  try {
    return withoutPasswords(describe(error, maxCauses));
  } catch {
    return "A value was thrown that cannot be read";
  }
}

/** The message of an error, or any other thrown value as a string. Never throws. */
export function messageOf(error: unknown): string {
  try {
    return withoutPasswords(isInstance(error, Error) ? String(error.message) : String(error));
  } catch {
    return "a value was thrown that cannot be read";
  }
}

/** Like `instanceof`, but `false` for a value that cannot be read, such as a revoked proxy. */
export function isInstance<T>(
  value: unknown,
  constructor: abstract new (...args: never[]) => T,
): value is T {
  try {
    return value instanceof constructor;
  } catch {
    return false;
  }
}

// --- Internal helpers ---

type Line = [message: string, details?: Record<string, unknown> | undefined];

/** Loggers that never throw. */
const safeLogs = new WeakSet<Logger>();

/** Passes all levels to one function. Methods, and not closures for each level: each call makes such a logger. */
class LevelLog implements Logger {
  readonly #write: (level: keyof Logger, ...line: Line) => void;

  constructor(write: (level: keyof Logger, ...line: Line) => void) {
    this.#write = write;
  }

  debug(...line: Line): void {
    this.#write("debug", ...line);
  }

  info(...line: Line): void {
    this.#write("info", ...line);
  }

  warn(...line: Line): void {
    this.#write("warn", ...line);
  }

  error(...line: Line): void {
    this.#write("error", ...line);
  }
}

/** The logger, or a wrapper that passes the arguments in the logger's order. */
function inExpectedOrder(log: Logger): Logger {
  return isPino(log) || isBunyan(log) ? detailsFirst(log as object as DetailsFirstLogger) : log;
}

/** Recognizes pino by a symbol that it shares with its tools; child loggers have it, too. */
function isPino(log: Logger): boolean {
  return Symbol.for("pino.serializers") in log;
}

function isBunyan(log: Logger): boolean {
  const { addStream, addSerializers } = log as { addStream?: unknown; addSerializers?: unknown };
  return typeof addStream === "function" && typeof addSerializers === "function";
}

/** Other programs quote an invalid URL in their errors, with the password in it. */
function withoutPasswords(text: string): string {
  return text.replace(/(\/\/[^\s/:@]*:)[^\s/@]+@/g, "$1[redacted]@");
}

/** The most causes, because a chain of causes can be circular. */
const maxCauses = 8;

function describe(error: unknown, causesLeft: number): string {
  if (typeof error === "string") return error;
  if (!(error instanceof Error)) return `a thrown value that isn't an error: ${typeof error}`;
  const own = String(error.stack ?? `${error.name}: ${error.message}`);
  if (causesLeft === 0 || !isInstance(error.cause, Error)) return own;
  return `${own}\ncaused by ${describe(error.cause, causesLeft - 1)}`;
}
