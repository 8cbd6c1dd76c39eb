import { inExpectedOrder } from "./details-first.ts";
import type { Logger } from "./log.ts";

/**
 * Wraps a logger so that it never throws: a failing log never changes a response. If the logger fails to write lines,
 * they are dropped, and a warning with their number follows the next line that it writes.
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

  /** @param lines the number of lines that are lost if this write fails */
  #tryWrite(level: keyof Logger, message: string, details: Details, lines: number): boolean {
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
