import * as z from "zod/mini";
import { observerEvents, type MetricsSource, type Telemetry } from "../../telemetry.ts";
import { hasMembers, isFunction, optional, reportMisspelled, type Members } from "./open-object.ts";

const receivers = observerEvents.map((event) => [event, optional(isFunction)] as const);

type Events = Record<(typeof observerEvents)[number], unknown>;

const metricsMembers: Members<MetricsSource> = {
  port: optional((found) => typeof found === "number"),
  host: optional((found) => typeof found === "string"),
  contentType: (found) => typeof found === "string",
  measure: isFunction,
  format: isFunction,
};

const members: Members<Telemetry> = {
  name: (found) => typeof found === "string",
  begin: optional(isFunction),
  ...(Object.fromEntries(receivers) as Members<Events>),
  metrics: optional((found) => hasMembers(found, metricsMembers)),
};

const expected =
  "a list of prometheus(), openTelemetry(), or objects with a name and functions; metrics once at most";

const schema = z.custom<readonly Telemetry[]>().check(({ value: found, issues }) => {
  const report = (path: PropertyKey[], message: string) =>
    void issues.push({ code: "custom", path, message, input: found });
  if (!isList(found)) {
    report([], expected);
    return;
  }
  for (const [index, each] of found.entries()) {
    reportMisspelled(each, members, (path, message) => report([index, ...path], message));
  }
});

/** The key `telemetry`. */
export const telemetryKey = { schema, expected };

// --- Internal helpers ---

function isList(found: unknown): found is readonly Telemetry[] {
  // `Array.from`, because `every` skips the holes of a list.
  const isValid =
    Array.isArray(found) && Array.from(found).every((each) => hasMembers(each, members));
  return (
    isValid && (found as Telemetry[]).filter(({ metrics }) => metrics !== undefined).length < 2
  );
}
