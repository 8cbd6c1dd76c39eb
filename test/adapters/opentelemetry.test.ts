import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from "@opentelemetry/sdk-trace-node";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openTelemetry } from "../../adapters/opentelemetry.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { createFaultyDriver } from "../_faulty-driver.ts";
import { createSetup, describeStorages } from "../_setup.ts";
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
    const [child, span, login] = exporter
      .getFinishedSpans()
      .filter(({ kind }) => kind !== SpanKind.CLIENT);
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

  test("reports each storage operation as a child of the span of its call", async () => {
    const exporter = startSdk();
    const config = { methods: testMethods, auth: trustingAuth, telemetry: [openTelemetry()] };
    const { client } = await start(config);
    const clients = Array.from({ length: 5 }, () => client());
    await Promise.all(clients.map((one, at) => one.call("note", { at })));
    await client().call("getUser");
    const spans = exporter.getFinishedSpans();
    const calls = spans.filter(({ kind }) => kind === SpanKind.SERVER);
    const operations = spans.filter(({ kind }) => kind === SpanKind.CLIENT);
    expect(calls).toHaveLength(6);
    let seen = 0;
    for (const call of calls) {
      const isOwn = ({ parentSpanContext }: ReadableSpan) =>
        parentSpanContext?.spanId === call.spanContext().spanId;
      const own = operations.filter(isOwn).map(({ name }) => name);
      seen += own.length;
      if (call.name === "note") expect(own).toContain("swap");
      else expect(own).toEqual([]);
    }
    expect(operations).toHaveLength(seen);
    for (const { name, attributes, startTime, endTime } of operations) {
      expect(attributes).toEqual({
        "db.system.name": expect.stringMatching(/^(?:memory|redis)$/),
        "db.operation.name": name,
        "storefront.storage.outcome": expect.stringMatching(/^(?:ok|conflict)$/),
      });
      const [from, to] = [startTime, endTime].map(([seconds, nanos]) => seconds * 1e9 + nanos);
      expect(to).toBeGreaterThanOrEqual(from as number);
    }
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
    const all = exporter.getFinishedSpans();
    const spans = all.filter(({ kind }) => kind === SpanKind.SERVER);
    expect(spans.map(({ name, status }) => [name, status.code])).toEqual([
      ["login", SpanStatusCode.UNSET],
      ["fail", SpanStatusCode.ERROR],
      ["refuse", SpanStatusCode.UNSET],
      ["_OTHER", SpanStatusCode.UNSET],
    ]);
    expect(spans[1]?.attributes["error.type"]).toBe("internal_error");
    const text = JSON.stringify(
      all.map(({ name, attributes, events }) => [name, attributes, events]),
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

  test("adds the trace of the span to the log lines of the call", async () => {
    const exporter = startSdk();
    const { log, lines } = createTestLog();
    const speak = defineRpcMethod({ handler: (_, call) => call.log.info("spoken") });
    const { client } = await start({
      methods: { speak },
      telemetry: [openTelemetry()],
      log: { logger: log, calls: "all" },
    });
    await client().call("speak", undefined, { traceparent: `00-${traceId}-${parentId}-01` });
    const span = exporter.getFinishedSpans().find(({ name }) => name === "speak");
    const ids = { trace_id: traceId, span_id: span?.spanContext().spanId };
    expect(lines.filter(({ level }) => level === "info")).toMatchObject([
      { message: "spoken", details: ids },
      { message: "Call", details: ids },
    ]);
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

const faulty = createFaultyDriver();
const failing = createSetup("memory", "request", () => faulty.driver);

test("marks a failed storage operation", async () => {
  failing.allowErrors();
  const exporter = startSdk();
  const { client } = await failing.start({ methods: testMethods, telemetry: [openTelemetry()] });
  faulty.before = () => Promise.reject(new Error("no disk"));
  expect((await client().call("note", { color: "red" })).status).toBe(503);
  faulty.heal();
  const failed = exporter.getFinishedSpans().find(({ kind }) => kind === SpanKind.CLIENT);
  expect(failed?.status.code).toBe(SpanStatusCode.ERROR);
  expect(failed?.attributes).toMatchObject({
    "db.system.name": "faulty",
    "error.type": "storage",
    "storefront.storage.outcome": "error",
  });
});

describe("without an SDK", () => {
  test("a call has no span", () => {
    const span = openTelemetry().begin?.({ headers: new Headers(), method: "POST" });
    expect(span?.run(() => trace.getActiveSpan())).toBeUndefined();
  });
});
