import {
  context,
  isSpanContextValid,
  metrics,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type TextMapGetter,
} from "@opentelemetry/api";
import type { CallSpan, ObservedCall, Telemetry, TraceIds } from "../server/index.ts";
import { other } from "./other-value.ts";

/**
 * Reports calls to OpenTelemetry: a span for each call, with a child for each storage operation, and histograms of
 * both. It needs the package `@opentelemetry/api`, and an SDK that starts before the server.
 */
export function openTelemetry(): Telemetry {
  const tracer = trace.getTracer(library);
  const meter = metrics.getMeter(library);
  const calls = meter.createHistogram("rpc.server.call.duration", {
    unit: "s",
    description: "Seconds from the headers of a call to its response",
  });
  const operations = meter.createHistogram("db.client.operation.duration", {
    unit: "s",
    description: "Seconds of a storage operation",
  });
  return {
    name: "opentelemetry",
    begin({ headers, method }) {
      const parent = propagation.extract(context.active(), headers, getter);
      const span = tracer.startSpan("rpc", { kind: SpanKind.SERVER }, parent);
      return new OpenCall(span, trace.setSpan(parent, span), method);
    },
    call: (call) => calls.record(call.seconds, toAttributes(call)),
    storage(driver, operation, outcome, seconds) {
      const names = { "db.system.name": driver, "db.operation.name": operation };
      const isError = outcome === "error";
      const attributes = isError ? { ...names, "error.type": "storage" } : names;
      operations.record(seconds, attributes);
      if (!trace.getActiveSpan()?.isRecording()) return;
      // The SDK begins spans at a whole millisecond, so this begins after its parent.
      const startTime = Math.ceil(Date.now() - seconds * 1000);
      const span = tracer.startSpan(operation, { kind: SpanKind.CLIENT, startTime, attributes });
      span.setAttribute("storefront.storage.outcome", outcome);
      if (isError) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(startTime + seconds * 1000);
    },
  };
}

// --- Internal helpers ---

class OpenCall implements CallSpan {
  readonly #span: Span;
  readonly #context: Context;
  readonly #verb: string;

  constructor(span: Span, own: Context, verb: string) {
    this.#span = span;
    this.#context = own;
    this.#verb = verb;
  }

  get trace(): TraceIds | undefined {
    const ids = this.#span.spanContext();
    return isSpanContextValid(ids) ? ids : undefined;
  }

  run<T>(call: () => T): T {
    return context.with(this.#context, call);
  }

  end(call: ObservedCall): void {
    const span = this.#span;
    if (span.isRecording()) {
      span.updateName(call.method ?? other);
      span.setAttributes({ ...toAttributes(call), "http.request.method": toVerb(this.#verb) });
      if (call.handle !== undefined) span.setAttribute("session.id", call.handle);
      if (call.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  }
}

const library = "storefront-core";

const getter: TextMapGetter<Headers> = {
  get: (headers, name) => headers.get(name) ?? undefined,
  keys: (headers) => [...headers.keys()],
};

/** A client can send any text as the HTTP method. */
function toVerb(method: string): string {
  return ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].includes(method) ? method : other;
}

/** The attributes of a call. None of them is text of a client. */
function toAttributes({ shopId, method, status, code }: ObservedCall) {
  const attributes: Record<string, string | number> = {
    "rpc.system.name": "storefront",
    "rpc.method": method ?? other,
    "http.response.status_code": status,
  };
  if (shopId !== undefined) attributes["storefront.shop.id"] = shopId;
  if (code !== undefined) {
    attributes["rpc.response.status_code"] = code;
    attributes["error.type"] = code;
  }
  return attributes;
}
