/** The IDs of a trace and of a span in it, as lowercase hex digits. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** Finds the trace of a call: that of its span, or else that of its header `traceparent`, if it is valid. */
export function findTrace(
  traceparent: string | null,
  span: { readonly trace?: TraceIds | undefined } | undefined,
): TraceIds | undefined {
  return span?.trace ?? readTraceparent(traceparent);
}

/** Names the IDs as OpenTelemetry does in log lines of any format. */
export function toLogFields({ traceId, spanId }: TraceIds) {
  return { trace_id: traceId, span_id: spanId };
}

/** The IDs in each log line of a call: its own, and those of its trace, if it has any. */
export function toCallIds(
  id: string | undefined,
  trace: TraceIds | undefined,
): Readonly<Record<string, string>> {
  return { ...(id !== undefined && { id }), ...(trace && toLogFields(trace)) };
}

// --- Internal helpers ---

/** W3C Trace Context, 3.2. `ff` and zeros are invalid. Version `00` ends after the flags; later ones can have more. */
const pattern =
  /^(?:00(?=.{53}$)|(?!00|ff)[\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]{2}(?:-|$)/;

function readTraceparent(header: string | null): TraceIds | undefined {
  const [, traceId, spanId] = header === null ? [] : (pattern.exec(header) ?? []);
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}
