import { describeError, type Logger } from "../storage/log.ts";

/** How a process handles errors that no code catches. */
export interface ProcessErrors {
  readonly log: () => Logger;
  /** Runs after each uncaught exception. The state of the process is unknown then, so end the process. */
  readonly onException: () => void;
}

/**
 * Keeps standard output and standard error from ending the process when their reader is gone (`EPIPE`) or their
 * disk is full. The log counts the lines that it could not write.
 */
export function ignoreOutputErrors(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}

/**
 * Logs a rejection that nothing handles, so that one forgotten promise doesn't end all calls in flight.
 * Only the CLI installs this; a library leaves the process to its host.
 */
export function handleProcessErrors({ log, onException }: ProcessErrors): void {
  process.on("unhandledRejection", (reason) => {
    log().error("A promise was rejected and nothing handled it", { error: describeError(reason) });
  });
  process.on("uncaughtException", (error) => {
    log().error("An error was thrown and nothing caught it; the server drains and ends", {
      error: describeError(error),
    });
    onException();
  });
}
