import { inspect } from "node:util";
import type { Logger } from "../shared/log.ts";

/**
 * The default logger: a line for each entry, `time level message key=value …`, or a JSON object; warnings and errors go to
 * standard error. It drops debug lines. It also drops lines that it can't write, and logs their number later.
 */
export function createLog(isJson = false): Logger {
  const toLine = isJson ? toJsonLine : toTextLine;
  const toDroppedLine = (count: number) => toLine("warn", droppedLines, { count });
  const out = createLineWriter(process.stdout, toDroppedLine);
  const err = createLineWriter(process.stderr, toDroppedLine);
  return {
    debug: () => {},
    info: (message, details) => out(toLine("info", message, details)),
    warn: (message, details) => err(toLine("warn", message, details)),
    error: (message, details) => err(toLine("error", message, details)),
  };
}

/**
 * Creates a function that writes lines to a stream of the process, and never throws. It drops lines while the stream
 * fails (`EPIPE`, a full disk), or while a megabyte waits for a slow reader, and later writes their number.
 * @param describe creates the line with the number of dropped lines
 * @returns the function; its second argument is the number of lines in the text, 1 by default
 */
export function createLineWriter(
  target: {
    readonly writableLength: number;
    write(text: string, written: (error?: Error | null) => void): unknown;
  },
  describe: (count: number) => string,
): (text: string, lines?: number) => void {
  let dropped = 0;

  /** @param count the number of lines that are lost if this write fails */
  function tryWrite(line: string, count: number): void {
    try {
      target.write(line, (error) => {
        if (error) dropped += count;
        else reportDropped();
      });
    } catch {
      // A write to a file on a full disk throws.
      dropped += count;
    }
  }

  function reportDropped(): void {
    if (dropped === 0) return;
    const count = dropped;
    dropped = 0;
    tryWrite(describe(count), count);
  }

  return (text, lines = 1) => {
    if (target.writableLength > maxWaiting) dropped += lines;
    else tryWrite(text, lines);
  };
}

/** The message of the line with the number of dropped lines. */
export const droppedLines = "Log lines were dropped, because they could not be written";

/** Formats a line as a JSON object. Time, level, and message come first, and no detail replaces them. */
export function toJsonLine(
  level: string,
  message: string,
  details: Record<string, unknown> = {},
): string {
  const own = { time: new Date().toISOString(), level, message };
  const line = { ...own, ...details, ...own };
  try {
    return `${JSON.stringify(line, toJsonValue)}\n`;
  } catch {
    const shown = Object.entries(details).map(([key, value]) => [
      key,
      inspect(value, { depth: 4 }),
    ]);
    return `${JSON.stringify({ ...own, ...Object.fromEntries(shown), ...own })}\n`;
  }
}

// --- Internal helpers ---

/** Bytes. */
const maxWaiting = 1_000_000;

function toTextLine(level: string, message: string, details: Record<string, unknown> = {}): string {
  const pairs = Object.entries(details).map(([key, value]) => ` ${key}=${toText(value)}`);
  const line = `${new Date().toISOString()} ${level} ${message}${pairs.join("")}`;
  // A visitor's text must not look like another log line, or control the terminal.
  return `${line.replace(/[\p{Cc}\u2028\u2029]+/gu, " ")}\n`;
}

/** Shows values that JSON can't represent. */
function toJsonValue(_: string, value: unknown): unknown {
  if (value instanceof Error) return inspect(value);
  return typeof value === "bigint" || value instanceof Map || value instanceof Set
    ? inspect(value, { depth: 4 })
    : value;
}

function toText(value: unknown): string {
  const text = typeof value === "string" ? value : inspect(value, { depth: 4 });
  return /^[\w.:/@-]+$/.test(text) ? text : JSON.stringify(text);
}
