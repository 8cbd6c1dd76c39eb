import { inExpectedOrder } from "./details-first.ts";
import type { Logger } from "./log.ts";

/**
 * Makes a logger that never throws, so that a failing log never changes a response. A line that the logger
 * fails to write is dropped; a later line that it writes is followed by a warning with their number.
 */
export function createSafeLog(log: Logger): Logger {
  return log instanceof SafeLog ? log : new SafeLog(inExpectedOrder(log));
}

// --- Internal helpers ---

type Details = Record<string, unknown> | undefined;

class SafeLog implements Logger {
  readonly #log: Logger;
  #dropped = 0;

  constructor(log: Logger) {
    this.#log = log;
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

  #write(level: keyof Logger, message: string, details: Details): void {
    if (!this.#tryWrite(level, message, details, 1) || this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#tryWrite("warn", "Log lines were dropped, because the log failed", { count }, count);
  }

  /** @param lines that are dropped if this fails */
  #tryWrite(level: keyof Logger, message: string, details: Details, lines: number): boolean {
    const drop = () => void (this.#dropped += lines);
    try {
      const writing: unknown = this.#log[level](message, details);
      // The logger of a deployment can be asynchronous; its rejection would be nobody's.
      if (writing instanceof Promise) writing.catch(drop);
      return true;
    } catch {
      drop();
      return false;
    }
  }
}
