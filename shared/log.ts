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

/** A logger that adds the same details to all it says. */
export function withDetails(log: Logger, shared: Record<string, unknown>): Logger {
  return mapLog(log, (message, details) => [message, { ...shared, ...details }]);
}

/** A logger that says something else than it is told. Made for each call, so it is no object of closures. */
export function mapLog(log: Logger, change: Line): Logger {
  return new MappedLog(log, change);
}

type Details = Record<string, unknown> | undefined;
type Line = (message: string, details: Details) => [message: string, details: Details];

class MappedLog implements Logger {
  readonly #log: Logger;
  readonly #change: Line;

  constructor(log: Logger, change: Line) {
    this.#log = log;
    this.#change = change;
  }

  debug(message: string, details?: Details): void {
    this.#write("debug", message, details);
  }

  info(message: string, details?: Details): void {
    this.#write("info", message, details);
  }

  warn(message: string, details?: Details): void {
    this.#write("warn", message, details);
  }

  error(message: string, details?: Details): void {
    this.#write("error", message, details);
  }

  /** Details that cannot be read never fail the call that logs them. */
  #write(level: keyof Logger, message: string, details: Details): void {
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
