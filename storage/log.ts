/** Where the program says what an operator should know; `console`, pino and consola all fit. */
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
    this.#log.debug(...this.#change(message, details));
  }

  info(message: string, details?: Details): void {
    this.#log.info(...this.#change(message, details));
  }

  warn(message: string, details?: Details): void {
    this.#log.warn(...this.#change(message, details));
  }

  error(message: string, details?: Details): void {
    this.#log.error(...this.#change(message, details));
  }
}

/**
 * What an operator needs to know of an error: its stack and its causes'. Other fields stay out, for
 * clients of other systems put what they sent into their errors: passwords and tokens.
 */
export function describeError(error: unknown): string {
  if (typeof error === "string") return error;
  if (!(error instanceof Error)) return `something thrown that is no error: ${typeof error}`;
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${own}\ncaused by ${describeError(error.cause)}` : own;
}
