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
export function mapLog(log: Logger, change: Line): Logger {
  return new MappedLog(log, change);
}

/**
 * Wraps a logger so that it never throws: a failing log never changes a response. If the logger fails to write lines,
 * they are dropped, and a warning with their number follows the next line that it writes.
 */
export function createSafeLog(log: Logger): Logger {
  return log instanceof SafeLog ? log : new SafeLog(inExpectedOrder(log));
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

type Level = keyof Logger;
type Details = Record<string, unknown> | undefined;
type Line = (message: string, details: Details) => [message: string, details: Details];

/** Passes all levels to one method. Methods, and not closures: each call makes such a logger. */
abstract class LevelLog implements Logger {
  protected abstract write(level: Level, message: string, details: Details): void;

  debug(message: string, details?: Details): void {
    this.write("debug", message, details);
  }

  info(message: string, details?: Details): void {
    this.write("info", message, details);
  }

  warn(message: string, details?: Details): void {
    this.write("warn", message, details);
  }

  error(message: string, details?: Details): void {
    this.write("error", message, details);
  }
}

class MappedLog extends LevelLog {
  readonly #log: Logger;
  readonly #change: Line;

  constructor(log: Logger, change: Line) {
    super();
    this.#log = log;
    this.#change = change;
  }

  /** Details that cannot be read never fail the call that logs them. */
  protected override write(level: Level, message: string, details: Details): void {
    let line: [message: string, details: Details];
    try {
      line = this.#change(message, details);
    } catch {
      // The message or the details can contain secrets.
      line = ["A log line could not be prepared", undefined];
    }
    this.#log[level](...line);
  }
}

class SafeLog extends LevelLog {
  readonly #log: Logger;
  #dropped = 0;

  constructor(log: Logger) {
    super();
    this.#log = log;
  }

  protected override write(level: Level, message: string, details: Details): void {
    if (!this.#tryWrite(level, message, details, 1) || this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#tryWrite("warn", "Log lines were dropped, because the log failed", { count }, count);
  }

  /** @param lines the number of lines that are lost if this write fails */
  #tryWrite(level: Level, message: string, details: Details, lines: number): boolean {
    const drop = () => void (this.#dropped += lines);
    try {
      const writing: unknown = this.#log[level](message, details);
      // A custom logger can be asynchronous, and nothing else would handle its rejection.
      if (writing instanceof Promise) writing.catch(drop);
      return true;
    } catch {
      drop();
      return false;
    }
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
  const { addStream, addSerializers } = log as {
    readonly addStream?: unknown;
    readonly addSerializers?: unknown;
  };
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
  if (!(error instanceof Error)) return `something thrown that is no error: ${typeof error}`;
  const own = String(error.stack ?? `${error.name}: ${error.message}`);
  if (causesLeft === 0 || !isInstance(error.cause, Error)) return own;
  return `${own}\ncaused by ${describe(error.cause, causesLeft - 1)}`;
}
