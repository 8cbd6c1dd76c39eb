import { closeSync } from "node:fs";
import { isatty } from "node:tty";
import { describeError, type Logger } from "../../shared/log.ts";

/**
 * Keeps standard output and standard error from ending the process when their reader is gone (`EPIPE`) or their
 * disk is full. The log counts the lines that it could not write.
 */
export function ignoreOutputErrors(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}

/**
 * Lets the process exit with its code after its terminal has closed. Otherwise Node tries to reset the terminal at the
 * exit, and aborts with a stack trace.
 */
export function handleClosedTerminal(): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  process.once("SIGHUP", () => process.once("exit", () => terminals.forEach(tryClose)));
}

/**
 * Logs a rejection that nothing handles, so that one forgotten promise doesn't end all calls in flight.
 * Only the CLI installs this; a library leaves the process to its host.
 * @param onException runs after each uncaught exception. The state of the process is unknown then, so end the process
 */
export function handleProcessErrors(log: () => Logger, onException: () => void): void {
  const write = limitLines((message, details) => log().error(message, details));
  process.on("unhandledRejection", (reason) => {
    write("A promise was rejected and nothing handled it", reason);
  });
  process.on("uncaughtException", (error) => {
    write("An error was thrown and nothing caught it; the server drains and ends", error);
    onException();
  });
}

// --- Internal helpers ---

function tryClose(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // It is closed already.
  }
}

/** The most logged errors per second. */
const maxLines = 20;

/**
 * Counts errors instead of logging them if there are many. A failing log can cause them: each logged error would cause
 * the next one, and the process would do nothing else.
 */
function limitLines(
  log: (message: string, details: Record<string, unknown>) => void,
): (message: string, error: unknown) => void {
  let beganAt = performance.now();
  let lines = 0;
  let omitted = 0;
  return (message, error) => {
    const now = performance.now();
    if (now - beganAt >= 1000) [beganAt, lines] = [now, 0];
    lines++;
    if (lines > maxLines) {
      omitted++;
      return;
    }
    const details = { error: describeError(error) };
    log(message, omitted === 0 ? details : { ...details, omitted });
    omitted = 0;
  };
}
