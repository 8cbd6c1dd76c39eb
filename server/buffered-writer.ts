import { systemClock } from "../storage/clock.ts";
import { createLineWriter, droppedLines, toJsonLine } from "./console-log.ts";

/**
 * Creates a writer of lines to a stream. It writes large pieces, because each write is a system call. A line waits for a
 * fifth of a second at most. The lines that wait are written before the process exits, also after an uncaught error.
 */
export function createBufferedWriter(target: Parameters<typeof createLineWriter>[0]) {
  const writeNow = createLineWriter(target, (count) => toJsonLine("warn", droppedLines, { count }));
  // Not a long string: garbage collections would copy its many parts again and again.
  const waiting = Buffer.allocUnsafe(pieceBytes);
  let length = 0;
  let lines = 0;
  let isDue = false;
  let isClosed = false;

  const flush = () => {
    if (length > 0) writeNow(waiting.toString("utf8", 0, length), lines);
    length = 0;
    lines = 0;
  };
  const writer = {
    write(line: string): void {
      // A character takes three bytes at most.
      if (line.length * 3 > pieceBytes - length) flush();
      if (line.length * 3 > pieceBytes) return writeNow(line);
      length += waiting.write(line, length);
      lines++;
      if (isClosed) return flush();
      if (isDue) return;
      isDue = true;
      const timer = systemClock.setTimeout(() => {
        isDue = false;
        flush();
      }, longestWait);
      timer.unref();
    },
    /** Writes the lines that wait, and then each line immediately. */
    close(): void {
      isClosed = true;
      open.delete(writer);
      if (open.size === 0) process.off("exit", closeAll);
      flush();
    },
  };
  if (open.size === 0) process.once("exit", closeAll);
  open.add(writer);
  return writer;
}

// --- Internal helpers ---

const pieceBytes = 32_768;
/** Milliseconds. */
const longestWait = 200;

const open = new Set<{ close(): void }>();

function closeAll(): void {
  for (const writer of open) writer.close();
}
