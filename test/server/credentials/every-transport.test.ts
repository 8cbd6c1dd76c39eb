import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { RpcError } from "../../../rpc/error.ts";
import type { HookEvent } from "../../../rpc/hooks.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { tokenMethods } from "../../../server/config/keys/session-keys.ts";
import type { Shop } from "../../../server/config/options.ts";
import type { SessionTransport } from "../../../server/credentials/transport.ts";
import { pageCalls } from "../../../server/page-calls.ts";
import type { Storefront } from "../../../server/storefront-app.ts";
import { createTestStorefront } from "../../../server/testing/test-storefront.ts";
import { createSetup, testConfig, type TestStorefront } from "../../_setup.ts";
import { CookieClient } from "../../_cookie-client.ts";
import { openTestDevPage } from "../../_dev-page.ts";
import { sendBatch } from "../../fixtures/batches.ts";
import { requestDocument } from "../openapi/_document.ts";

const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));
const page = "https://page.example";

// A new transport gets these tests by its entry in the list of transports.
describe.each(tokenMethods)("the session credential of the transport %s", (tokenMethod) => {
  test("never appears in context.headers of any method in any shop", async () => {
    const seen: Headers[] = [];
    const see = (headers: Headers) => void seen.push(headers);
    const { call, credential, transport } = await startWithSession({
      methods: {
        inSession: defineRpcMethod({ handler: (_, { headers }) => see(headers) }),
        inPublic: defineRpcMethod({ access: "public", handler: (_, { headers }) => see(headers) }),
        nested: defineRpcMethod({ handler: (_, { callRpc }) => callRpc("inPublic") }),
      },
    });
    for (const method of ["inSession", "inPublic", "nested"]) {
      for (const shopId of [1001, 1002]) {
        expect((await call(method, undefined, { shopId })).status).toBe(204);
      }
    }
    expect(seen).toHaveLength(6);
    for (const headers of seen) {
      expect(headers.get("x-note")).toBe("not a credential");
      expect(headers.get(transport.credentialHeaders.request)).toBeNull();
      expectWithout(credential, [...headers]);
    }
  });

  test("never appears in log lines, even if a method logs or throws it", async () => {
    allowErrors();
    const { call, credential, lines } = await startWithSession();
    for (const method of ["log", "reject", "fail"]) {
      for (const text of credential) await call(method, text);
    }
    expect(inspect(lines, { depth: 9 })).toContain("[redacted]");
    expectWithout(credential, lines);
  });

  test("never appears in a response that quotes it", async () => {
    allowErrors();
    const { call, credential } = await startWithSession();
    for (const text of credential) {
      const rejected = await call("reject", text);
      expect(rejected).toMatchObject({ status: 409, body: { detail: "Found [redacted]" } });
      expectWithout(credential, [rejected.body, (await call("fail", text)).body]);
    }
  });

  test("never reaches a hook", async () => {
    allowErrors();
    const received: unknown[] = [];
    const note = ({ context, payload }: HookEvent) =>
      void received.push([...context.headers], payload);
    const { call, credential } = await startWithSession({
      hooks: {
        "storefront:context:created": note,
        "storefront:rpc:before": note,
        "storefront:rpc:after": note,
        "storefront:rpc:error": note,
      },
    });
    for (const method of ["log", "reject", "fail"]) {
      for (const text of credential) await call(method, text);
    }
    expect(inspect(received, { depth: 9 })).toContain("[redacted]");
    expectWithout(credential, received);
  });

  test("can't be issued by a method", async () => {
    const { call, issued, transport } = await startWithSession({
      methods: {
        forge: defineRpcMethod({
          handler: () => new Response("", { headers: [issued(), ["x-other", "is sent"]] }),
        }),
      },
    });
    const { headers } = await call("forge");
    expect(headers.get("x-other")).toBe("is sent");
    expect(headers.get(transport.credentialHeaders.response)).toBeNull();
  });

  test("comes from a page of another site only if the page itself sends it", async () => {
    const { call, transport } = await startWithSession();
    const answer = await call("getUser", undefined, {
      headers: { "sec-fetch-site": "cross-site" },
    });
    expect(answer.status).toBe(transport.isAmbient ? 403 : 200);
    expect(answer.body.user).toEqual(transport.isAmbient ? undefined : { id: 7 });
  });

  test("can be sent and read by a page that cors.origin allows, unless the browser does that", async () => {
    const { send, transport } = await startWithSession({ cors: { origin: [page] } });
    const { request, response } = transport.credentialHeaders;
    const options = { origin: page, "access-control-request-method": "POST" };
    const { headers } = await send("/api/rpc/getUser", { method: "OPTIONS", headers: options });
    const isListed = (name: string) => (headers.get(name) ?? "").split(", ");
    if (transport.isAmbient) {
      expect(headers.get("access-control-allow-credentials")).toBe("true");
      expect(isListed("access-control-allow-headers")).not.toContain(request);
    } else {
      expect(isListed("access-control-allow-headers")).toContain(request);
      expect(isListed("access-control-expose-headers")).toContain(response);
    }
  });

  test("applies to the next calls of a batch after a call issues it", async () => {
    const { send } = await start({ methods, session: { tokenMethod } });
    const calls = ["enter", "getUser", "leave", "getUser"].map((method) => ({ method }));
    const { body } = await sendBatch(new CookieClient(send), calls);
    const users = [body[1].body, body[3].body];
    expect(users).toEqual([{ user: { id: 7 } }, {}]);
  });

  test("works for visitors of the development page, which shows only its beginning", async () => {
    const devPage = openTestDevPage({ methods, session: { tokenMethod } });
    const { app } = devPage;
    const { fetch } = app;
    const issued: (string | null)[] = [];
    const transport = transportOf(app);
    app.fetch = async (request) => {
      const response = await fetch(request);
      issued.push(response.headers.get(transport.credentialHeaders.response));
      return response;
    };
    const { text } = await devPage.call("A", "enter");
    const { visitors, text: next } = await devPage.call("A", "getUser");
    expect(visitors.A.session).toMatchObject({ state: "active", user: { id: 7 } });
    expectWithout(secretsIn(transport, issued[0] as string), [text, next]);
  });

  test("works for visitors of a test storefront", async () => {
    const storefront = await createTestStorefront({
      ...testConfig(),
      methods,
      session: { tokenMethod },
    });
    const visitor = storefront.visitor();
    await visitor.call("enter");
    expect((await visitor.clone().call("getUser")).body.user).toEqual({ id: 7 });
    await visitor.call("leave");
    expect((await visitor.call("getUser")).body).toEqual({});
    await storefront.close();
  });

  test("appears in the OpenAPI document of a shop that enables it", async () => {
    const session = { tokenMethod };
    const { response } = transportOf((await start({ session })).app).credentialHeaders;
    const { document } = await requestDocument({ session });
    expect(Object.keys(document.components.securitySchemes as object)).toEqual([tokenMethod]);
    const { security, responses } = document.paths["/rpc/getUser"]?.["post"] ?? {};
    expect(security).toEqual([{}, { [tokenMethod]: [] }]);
    expect(responses?.["200"]).toMatchObject({
      headers: { [response]: { $ref: `#/components/headers/${tokenMethod}` } },
    });
  });

  /** A storefront whose first shop uses the transport, and a client with a session there. */
  async function startWithSession(config: Partial<StorefrontConfig> = {}): Promise<{
    readonly lines: TestStorefront["lines"];
    readonly send: TestStorefront["send"];
    readonly transport: SessionTransport;
    readonly issued: () => [string, string];
    /** The credential in the forms in which it goes over the wire. */
    readonly credential: readonly string[];
    readonly call: (
      method: string,
      payload?: unknown,
      options?: { readonly shopId?: number; readonly headers?: Record<string, string> },
    ) => ReturnType<CookieClient["call"]>;
  }> {
    const { app, lines, send } = await start({
      ...config,
      methods: { ...methods, ...config.methods },
      shops: testConfig().shops.map((shop) =>
        shop.shopId === 1001 ? { ...shop, session: { tokenMethod } } : shop,
      ),
    });
    const transport = transportOf(app);
    const { headers } = await new CookieClient(send).call("enter");
    const { response } = transport.credentialHeaders;
    const value = headers.get(response) as string;
    const sent = new Headers();
    transport.sendBack(sent, value);
    const credentials = { ...Object.fromEntries(sent), "x-note": "not a credential" };
    return {
      lines,
      send,
      transport,
      issued: () => [response, value],
      credential: secretsIn(transport, value),
      call: (method, payload, { shopId, headers: others } = {}) =>
        new CookieClient(send, shopId).call(method, payload, { ...credentials, ...others }),
    };
  }
});

// --- Internal helpers ---

const input = z.string();

const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
  }),
  leave: defineRpcMethod({ handler: (_, { destroySession }) => destroySession() }),
  log: defineRpcMethod({
    input,
    handler: (note, { log, headers }) => log.warn(`Found ${note}`, { list: [note], headers }),
  }),
  reject: defineRpcMethod({
    input,
    handler(note) {
      const detail = `Found ${note}`;
      throw new RpcError("taken", { status: 409, title: "Taken", detail, data: { note } });
    },
  }),
  fail: defineRpcMethod({
    input,
    handler(note) {
      throw new Error(`Found ${note}`, { cause: note });
    },
  }),
};

/** The only transport of the first shop. */
function transportOf({ options, [pageCalls]: { credentials } }: Storefront): SessionTransport {
  const [transport] = credentials.enabled.get(options.shops[0] as Shop) as [SessionTransport];
  return transport;
}

/** The forms in which an issued credential goes over the wire. */
function secretsIn(transport: SessionTransport, issued: string): readonly string[] {
  const sent = new Headers();
  transport.sendBack(sent, issued);
  return transport.findSecrets(sent);
}

function expectWithout(credential: readonly string[], found: unknown): void {
  expect(credential.length).toBeGreaterThan(0);
  for (const text of credential) expect(inspect(found, { depth: 9 })).not.toContain(text);
}
