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
  return `${new Date().toISOString()} ${level} ${oneLine(message)}${pairs.join("")}\n`;
}

function toText(value: unknown): string {
  if (typeof value === "string" && /^[\w.:/@-]+$/.test(value)) return value;
  return JSON.stringify(typeof value === "string" ? value : inspect(value, { depth: 4 }));
}

/** What a visitor sends must not look like a line of its own. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}
