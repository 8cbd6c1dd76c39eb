import { inspect } from "node:util";
import type { Logger } from "../storage/log.ts";

/**
 * The default logger: a line for each entry, `time level message key=value …`; warnings and errors go to
 * standard error. Debug lines are dropped.
 */
export function createLog(): Logger {
  return {
    debug: () => {},
    info: (message, details) => void process.stdout.write(toLine("info", message, details)),
    warn: (message, details) => void process.stderr.write(toLine("warn", message, details)),
    error: (message, details) => void process.stderr.write(toLine("error", message, details)),
  };
}

// --- Internal helpers ---

function toLine(level: string, message: string, details: Record<string, unknown> = {}): string {
  const pairs = Object.entries(details).map(([key, value]) => ` ${key}=${toText(value)}`);
  const line = `${new Date().toISOString()} ${level} ${message}${pairs.join("")}`;
  // What a visitor sends must not look like a line of its own, nor steer a terminal.
  return `${line.replace(/[\p{Cc}\u2028\u2029]+/gu, " ")}\n`;
}

function toText(value: unknown): string {
  const text = typeof value === "string" ? value : inspect(value, { depth: 4 });
  return /^[\w.:/@-]+$/.test(text) ? text : JSON.stringify(text);
}
