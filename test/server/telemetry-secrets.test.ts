import { context, propagation, SpanKind, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { expect, onTestFinished, test, vi } from "vitest";
import { openTelemetry } from "../../adapters/opentelemetry.ts";
import { prometheus } from "../../adapters/prometheus.ts";
import { createStorefront } from "../../server/storefront.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { CookieClient } from "../_cookie-client.ts";
import { forProduction, testConfig, testSecret } from "../_setup.ts";
import { as, trustingAuth } from "../fixtures/trusting-auth.ts";

const token = "an-admin-token-of-more-than-32-characters";

const traceId = "0af7651916cd43dd8448eb211c80319c";

test("no metric, no span, and no log line has a cookie, a token, a password, or an email address", async () => {
  let written = "";
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => (written += Buffer.from(text)) !== "");
  }
  const exporter = new InMemorySpanExporter();
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  onTestFinished(() => [trace, context, propagation].forEach((api) => api.disable()));
  const speak = defineRpcMethod({ handler: (payload, { log }) => log.info("spoken", { payload }) });
  const config = {
    ...forProduction,
    auth: trustingAuth,
    admin: { token },
    methods: { speak },
    telemetry: [prometheus(), openTelemetry()],
    log: { calls: "all" as const },
  };
  const app = createStorefront(
    testConfig({ ...config, session: { secret: testSecret, tokenMethod: ["cookie", "bearer"] } }),
    { production: true },
  );
  const send = async (path: string, init: RequestInit) =>
    app.fetch(new Request(`http://localhost${path}`, init));
  const secrets = new Set<string>([token, testSecret, "correct horse", "7@example.com"]);
  const note = ({ setCookies, headers }: { setCookies: readonly string[]; headers: Headers }) => {
    for (const line of setCookies) {
      const value = decodeURIComponent(/=([^;]*)/.exec(line)?.[1] ?? "");
      if (value !== "") for (const part of [value, value.slice(2)]) secrets.add(part);
      // The session ID without its signature, and the random part of it.
      const id = value.slice(2).split(".")[0] ?? "";
      if (id !== "") secrets.add(id).add(id.split(":").at(-1) as string);
    }
    const bearer = headers.get("storefront-auth-token");
    if (bearer) secrets.add(bearer);
  };
  const client = new CookieClient(send);
  const made = {
    traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    tracestate: "vendor=state-of-a-visitor",
    baggage: "key=baggage-of-a-visitor",
    "user-agent": "agent-of-a-visitor",
  };
  for (const [method, payload] of [
    ["addItemToBasket", { variantId: 1, quantity: 1 }],
    ["login", as(7)],
    ["login", { email: 7, password: "correct horse" }],
    ["speak", { password: "correct horse" }],
    ["name-of-a-visitor", {}],
    ["updatePassword", { oldPassword: "correct horse", newPassword: "battery staple" }],
    ["logoutEverywhere", {}],
  ] as const) {
    note(await client.call(method, payload, made));
  }
  const denied = await send("/metrics", { headers: { authorization: `Bearer ${token}x` } });
  expect(denied.status).toBe(401);
  const page = await send("/metrics", { headers: { authorization: `Bearer ${token}` } });
  const metrics = await page.text();
  await app.close();
  vi.restoreAllMocks();
  expect(written.match(/"message":"Call"/g)).toHaveLength(7);
  expect(written.match(new RegExp(`"trace_id":"${traceId}"`, "g"))).toHaveLength(8);
  const finished = exporter.getFinishedSpans();
  expect(new Set(finished.map(({ kind }) => kind))).toEqual(
    new Set([SpanKind.SERVER, SpanKind.CLIENT]),
  );
  const spans = JSON.stringify(
    finished.map(({ name, attributes, events, links, status }) => [
      [name, status],
      [attributes, events, links],
    ]),
  );
  expect(metrics).toContain("storefront_calls_total");
  expect(secrets.size).toBeGreaterThan(8);
  for (const secret of [...secrets, "battery staple", "of-a-visitor"]) {
    expect(`${metrics}\n${written}\n${spans}`).not.toContain(secret);
  }
});
