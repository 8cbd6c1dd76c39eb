import { systemClock } from "../storage/clock.ts";
import type { Logger } from "../shared/log.ts";
import type { ObservedCall } from "./observer.ts";
import { toLogFields } from "../rpc/trace-ids.ts";
import type { CallTallies } from "./call-tally.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { createBufferedWriter } from "./buffered-writer.ts";
import type { Telemetry } from "./telemetry.ts";

/**
 * Creates the log of calls. `close` writes the lines that wait.
 * @param log gets the lines; absent: the server writes them to standard output as JSON, in large pieces
 */
export function createCallLog(
  { calls, slowerThan }: NonNullable<StorefrontOptions["callLog"]>,
  tallies: CallTallies | undefined,
  log: Logger | undefined,
): Telemetry & { close(): void } {
  const writer = log === undefined ? createBufferedWriter(process.stdout) : undefined;
  const isWritten = {
    all: () => true,
    errors: ({ status }: ObservedCall) => status >= 400,
    slow: ({ status, seconds }: ObservedCall) => status >= 500 || seconds >= slowerThan,
  }[calls];
  return {
    name: "log.calls",
    storage() {
      const tally = tallies?.current();
      if (tally !== undefined) tally.operations++;
    },
    call(call) {
      if (!isWritten(call)) return;
      if (writer === undefined) log?.info("Call", toDetails(call));
      else writer.write(toLine(call));
    },
    close: () => writer?.close(),
  };
}

// --- Internal helpers ---

function toDetails(call: ObservedCall): Record<string, unknown> {
  const { id, trace, shopId, method, status, code, seconds, operations, session, handle } = call;
  const what = { shopId, method, status, code, seconds, storage: operations, session, handle };
  const details = { id, ...(trace && toLogFields(trace)), ...what };
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
}

/**
 * The line as JSON. Not `JSON.stringify`, which takes three times as long. Only a code, a handle, and the
 * IDs of a receiver's span can have characters that JSON escapes.
 */
function toLine(call: ObservedCall): string {
  const { trace, shopId, method, code, operations, session, handle } = call;
  const ids =
    trace === undefined
      ? ""
      : `,"trace_id":${toJson(trace.traceId)},"span_id":${toJson(trace.spanId)}`;
  const shop = shopId === undefined ? "" : `,"shopId":${shopId}`;
  const name = method === undefined ? "" : `,"method":"${method}"`;
  const failure = code === undefined ? "" : `,"code":${toJson(code)}`;
  const storage = operations === undefined ? "" : `,"storage":${operations}`;
  const state = session === undefined ? "" : `,"session":"${session}"`;
  const user = handle === undefined ? "" : `,"handle":${toJson(handle)}`;
  return `${currentStart()}${call.id}"${ids}${shop}${name},"status":${call.status}${failure},"seconds":${toText(call.seconds)}${storage}${state}${user}}\n`;
}

/** Most codes and handles need no escapes, and `JSON.stringify` takes twice as long. */
function toJson(text: string): string {
  return /^[\w-]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Seconds with six decimals. `toFixed` and `String` take three times as long for most numbers. */
function toText(seconds: number): string {
  const micros = Math.round(seconds * 1e6);
  return micros < 1e6 ? `0.${String(1e6 + micros).slice(1)}` : String(micros / 1e6);
}

let millisecond = 0;
let start = "";

/** The beginning of the line, which is the same for all calls of a millisecond. */
function currentStart(): string {
  const now = systemClock.now();
  if (now !== millisecond) {
    millisecond = now;
    start = `{"time":"${new Date(now).toISOString()}","level":"info","message":"Call","id":"`;
  }
  return start;
}
