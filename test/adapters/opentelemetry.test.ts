import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openTelemetry } from "../../adapters/opentelemetry.ts";
import { defineRpcMethod } from "../../rpc/method.ts";
import { describeStorages } from "../_setup.ts";
import { testMethods } from "../fixtures/methods.ts";
import { as, trustingAuth } from "../fixtures/trusting-auth.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";

afterEach(() => {
  for (const api of [trace, context, propagation, metrics]) api.disable();
});

/** Starts the SDK as a program does. */
function startSdk() {
  const exporter = new InMemorySpanExporter();
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  return exporter;
}

describeStorages("openTelemetry()", ({ start, allowErrors }) => {
  test("reports each call as a span in the trace of the request", async () => {
    const exporter = startSdk();
    const inner = defineRpcMethod({
      async handler() {
        await Promise.resolve();
        trace.getTracer("test").startSpan("inner").end();
      },
    });
    const config = { methods: { inner }, auth: trustingAuth, telemetry: [openTelemetry()] };
    const { client } = await start(config);
    const user = client();
    await user.call("inner", undefined, { traceparent: `00-${traceId}-${parentId}-01` });
    await user.call("login", as(7));
    const [child, span, login] = exporter.getFinishedSpans();
    expect(span).toMatchObject({ name: "inner", kind: SpanKind.SERVER });
    expect(span?.spanContext().traceId).toBe(traceId);
    expect(span?.parentSpanContext?.spanId).toBe(parentId);
    expect(child?.parentSpanContext?.spanId).toBe(span?.spanContext().spanId);
    expect(login?.attributes).toMatchObject({
      "rpc.system.name": "storefront",
      "rpc.method": "login",
      "http.request.method": "POST",
      "http.response.status_code": 200,
      "storefront.shop.id": 1001,
    });
  });

  test("marks errors, and shows neither secrets nor text of a client", async () => {
    allowErrors();
    const exporter = startSdk();
    const fail = defineRpcMethod({
      handler() {
        throw new Error("broken");
      },
    });
    const methods = { ...testMethods, fail };
    const { client } = await start({ methods, auth: trustingAuth, telemetry: [openTelemetry()] });
    const user = client();
    await user.call("login", as(7));
    const cookie = [...user.cookies.values()].join();
    for (const name of ["fail", "refuse", "name-of-a-visitor"]) await user.call(name, as(7));
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ name, status }) => [name, status.code])).toEqual([
      ["login", SpanStatusCode.UNSET],
      ["fail", SpanStatusCode.ERROR],
      ["refuse", SpanStatusCode.UNSET],
      ["_OTHER", SpanStatusCode.UNSET],
    ]);
    expect(spans[1]?.attributes["error.type"]).toBe("internal_error");
    const text = JSON.stringify(
      spans.map(({ name, attributes, events }) => [name, attributes, events]),
    );
    for (const secret of [
      cookie,
      user.sessionId,
      "correct horse",
      "7@example.com",
      "of-a-visitor",
    ]) {
      expect(text).not.toContain(secret);
    }
  });

  test("records the time of calls and storage operations", async () => {
    const record = vi.fn();
    const createHistogram = (name: string) => ({
      record: (seconds: number, attributes: object) => record(name, seconds, attributes),
    });
    metrics.setGlobalMeterProvider({ getMeter: () => ({ createHistogram }) as never });
    const { client } = await start({ methods: testMethods, telemetry: [openTelemetry()] });
    await client().call("note", { color: "red" });
    const method = expect.objectContaining({ "rpc.method": "note" });
    expect(record).toHaveBeenCalledWith("rpc.server.call.duration", expect.any(Number), method);
    const swap = expect.objectContaining({ "db.operation.name": "swap" });
    expect(record).toHaveBeenCalledWith("db.client.operation.duration", expect.any(Number), swap);
  });
});

describe("without an SDK", () => {
  test("a call has no span", () => {
    const span = openTelemetry().begin?.({ headers: new Headers(), method: "POST" });
    expect(span?.run(() => trace.getActiveSpan())).toBeUndefined();
  });
});
