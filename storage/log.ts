/** Where the program says what an operator should know; `console`, pino and consola all fit. */
export interface Logger {
  debug(message: string, details?: Record<string, unknown>): void;
  info(message: string, details?: Record<string, unknown>): void;
  warn(message: string, details?: Record<string, unknown>): void;
  error(message: string, details?: Record<string, unknown>): void;
}

/** A logger that adds the same details to all it says. */
export function withDetails(log: Logger, shared: Record<string, unknown>): Logger {
  const add = (details?: Record<string, unknown>) => ({ ...shared, ...details });
  return {
    debug: (message, details) => log.debug(message, add(details)),
    info: (message, details) => log.info(message, add(details)),
    warn: (message, details) => log.warn(message, add(details)),
    error: (message, details) => log.error(message, add(details)),
  };
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
