import { messageOf } from "../../shared/log.ts";

/** Prints the message alone: a stack doesn't help anyone find a mistake in a config. */
export function printError(error: unknown): void {
  print(process.stderr, `storefront: ${messageOf(error)}\n`);
}

/** Prints the message of an error, and ends the process with code 1. */
export function fail(error: unknown): never {
  printError(error);
  process.exit(1);
}

/** Prints a text and ends the process, even if the config has opened a handle that keeps it running. */
export function printAndExit(text: string, code: number): void {
  print(process.stdout, text, () => process.exit(code));
}

/** Writes a text if that is possible; a file on a full disk throws. */
export function print(
  stream: NodeJS.WriteStream,
  text: string,
  written: () => void = () => undefined,
): void {
  try {
    stream.write(text, written);
  } catch {
    written();
  }
}
