import { fileURLToPath } from "node:url";
import { findPackageFolder } from "./package-folder.ts";

/**
 * Finds the line of the config, or of a module that it imports, whose code has thrown an error.
 * @returns for example `, line 4`, or ` in /shop/methods/greet.ts, line 4`; empty if the stack has no such line
 */
export function describeLine(error: unknown, config: string): string {
  try {
    const { stack = "" } = error as Error;
    const own = fileURLToPath(new URL("dist/", findPackageFolder()));
    for (const [, place = "", line] of stack.matchAll(frame)) {
      const file = place.startsWith("file:") ? fileURLToPath(place) : place;
      if (file.startsWith(own) || /[/\\]node_modules[/\\]/.test(file)) continue;
      return `${file === config ? "" : ` in ${file}`}, line ${line}`;
    }
    return "";
  } catch {
    // An unusual URL in the stack must not hide the error.
    return "";
  }
}

// --- Internal helpers ---

/** A line of a stack with the absolute path, or the URL, of a file. */
const frame =
  /^ +at (?:.*\()?(?:async )?((?:file:\/\/)?(?:\/|[A-Z]:[/\\])[^()\n]*):(\d+):\d+\)?$/gim;
