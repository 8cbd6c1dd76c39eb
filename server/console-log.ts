import { inspect } from "node:util";
import type { Logger } from "../shared/log.ts";
import { LineStream } from "./line-stream.ts";

/**
 * The default logger: a line for each entry, `time level message key=value …`; warnings and errors go to
 * standard error. It drops debug lines. It also drops lines that it can't write, and logs their number later.
 */
export function createLog(): Logger {
  const out = new LineStream(process.stdout, toDroppedLine);
  const err = new LineStream(process.stderr, toDroppedLine);
  return {
    debug: () => {},
    info: (message, details) => out.write(toLine("info", message, details)),
    warn: (message, details) => err.write(toLine("warn", message, details)),
    error: (message, details) => err.write(toLine("error", message, details)),
  };
}

// --- Internal helpers ---

function toDroppedLine(count: number): string {
  return toLine("warn", "Log lines were dropped, because they could not be written", { count });
}

function toLine(level: string, message: string, details: Record<string, unknown> = {}): string {
  const pairs = Object.entries(details).map(([key, value]) => ` ${key}=${toText(value)}`);
  const line = `${new Date().toISOString()} ${level} ${message}${pairs.join("")}`;
  // A visitor's text must not look like another log line, or control the terminal.
  return `${line.replace(/[\p{Cc}\u2028\u2029]+/gu, " ")}\n`;
}

function toText(value: unknown): string {
  const text = typeof value === "string" ? value : inspect(value, { depth: 4 });
  return /^[\w.:/@-]+$/.test(text) ? text : JSON.stringify(text);
}
