import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { HTTPError } from "h3";
import type { Driver } from "unstorage";
import createMemoryDriver from "unstorage/drivers/memory";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Credentials } from "../../rpc/accounts/auth.ts";
import { builtinMethods } from "../../rpc/methods/builtin.ts";
import { RpcError } from "../../rpc/error.ts";
import { hookNames } from "../../rpc/hooks.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createStorefront } from "../../server/storefront.ts";
import { ConfigError } from "../../server/config/config-error.ts";
import type { SessionConfig } from "../../server/config/keys/session-keys.ts";
import { createLog } from "../../server/console-log.ts";
import { Signer } from "../../server/credentials/signature.ts";
import { createSetup, testConfig, testSecret } from "../_setup.ts";
import { twinAt } from "../fixtures/clients.ts";
import { as, trustingAuth } from "../fixtures/trusting-auth.ts";
import { testMethods } from "../fixtures/methods.ts";
import { readStored, sessionIdOf } from "../fixtures/stored.ts";

// Each test has the name of a defect of earlier systems, and shows the opposite: requests and responses.

describe("the wire", () => {
  let driver: Driver;
  beforeEach(() => {
    driver = createMemoryDriver();
  });
  const { start, allowErrors } = createSetup("memory", "request", () => driver);
  const stored = (prefix = "") => readStored(driver, prefix);

  test("defect 5: a basket's key doesn't give access to the basket", async () => {
    const { client } = await start({ auth: trustingAuth });
    const [victim, thief] = [client(), client()];
    const { body } = await victim.call("addItemToBasket", { variantId: 7, quantity: 1 });
    const { key } = body.basket;
    await thief.call("addItemToBasket", { variantId: 8, quantity: 1 });
    expect(key).not.toContain(victim.sessionId);
    const before = await stored(`basket:1001:${key}`);
    const names = ["key", "basketKey", "fromBasketKey", "itemKey", "payload"];
    const payloads = [key, ...names.map((name) => ({ [name]: key })), { ...as(8), basketKey: key }];
    for (const method of [...Object.keys(builtinMethods), "mergeBaskets"]) {
      for (const payload of payloads) {
        const answer = await thief.clone().call(method, payload);
        expect(JSON.stringify(answer.body ?? {}), method).not.toContain('"variantId":7');
      }
    }
    expect(await stored(`basket:1001:${key}`)).toEqual(before);
  });

  test("defect 6: a cookie of one shop doesn't work in another", async () => {
    const { client } = await start({ auth: trustingAuth, methods: testMethods });
    const [customer, thief] = [client(1001), client(1002)];
    await customer.call("login", as(7));
    const before = await stored("session:1001:");
    thief.cookies.set("$session-1002", customer.cookies.get("$session-1001") as string);
    expect((await thief.call("getUser")).body).toEqual({});
    expect((await thief.call("listSessions")).status).toBe(401);
    await thief.call("note", { mine: true });
    expect(thief.sessionId).not.toBe(customer.sessionId);
    expect((await stored("session:1002:")).map(sessionIdOf)).toEqual([thief.sessionId]);
    expect(await stored("session:1001:")).toEqual(before);
  });

  const noSecrets = [undefined, "", "current-secret", "x".repeat(31), [], [testSecret, "short"]];

  test.each(noSecrets)("defect 8: production rejects the secret %j", (secret) => {
    const config = testConfig({ session: { secret } });
    expect(() => createStorefront(config, { production: true })).toThrow(ConfigError);
  });

  test("defect 8: each development server has its own random secret", async () => {
    const config = { auth: trustingAuth, session: { secret: undefined } };
    const [one, two] = [await start(config), await start(config)];
    const client = one.client();
    await client.call("login", as(7));
    expect((await client.call("getUser")).body.user.id).toBe(7);
    expect((await twinAt(two, client).call("getUser")).body).toEqual({});
    const signature = await new Signer(["current-secret"]).sign(client.sessionId as string);
    client.cookies.set("$session-1001", toCookie(client.sessionId as string, signature));
    expect((await client.call("getUser")).body).toEqual({});
  });

  test.each(["", "7:"])(
    "defect 8: the server ignores a signed ID without a record (%s…)",
    async (user) => {
      const { client } = await start({ methods: testMethods });
      const [id, guest] = [`${user}${randomUUID()}`, client()];
      guest.cookies.set("$session-1001", toCookie(id, await new Signer([testSecret]).sign(id)));
      expect((await guest.call("getUser")).body).toEqual({});
      expect(await stored()).toEqual([]);
      await guest.call("note", { begun: true });
      expect(guest.sessionId).not.toBe(id);
      expect((await stored("session:")).map(sessionIdOf)).toEqual([guest.sessionId]);
    },
  );

  test("defect 9: the server sets a cookie only after a change, and caches don't store it", async () => {
    const { client } = await start({ methods: testMethods });
    const guest = client();
    const reads = ["getUser", "getBasket", "getWishlist", "notes", "clearBasket", "nothing"];
    const quiet = await Promise.all(reads.map((method) => guest.call(method)));
    expect(await stored()).toEqual([]);
    const first = await guest.call("note", { begun: true });
    expect(first.setCookies).toHaveLength(1);
    quiet.push(await guest.call("note", { begun: false }), await guest.call("getBasket"));
    for (const { setCookies } of quiet) expect(setCookies).toEqual([]);
    for (const { headers } of [first, ...quiet]) {
      expect(headers.get("cache-control")).toBe("no-store");
    }
    const shop = await guest.request("/de/api/rpc/getShopConfiguration");
    expect(shop.headers.get("cache-control")).toContain("public");
    expect(shop).toMatchObject({ status: 200, setCookies: [] });
  });

  test("defect 10: log lines and hooks contain no password", async () => {
    const told: string[] = [];
    const tell = (call: unknown) => void told.push(inspect(call, whole));
    const hooks = Object.fromEntries(hookNames.map((name) => [name, tell]));
    const { client, lines } = await start({ hooks });
    const account = { email: "a@example.com", password: "hunter2-first" };
    const customer = client();
    const change = { oldPassword: account.password, newPassword: "hunter2-second" };
    const calls = [
      ["register", account, 200],
      ["register", account, 409],
      ["login", { ...account, password: "hunter2-wrong" }, 401],
      ["login", { ...account, passwort: "hunter2-typo" }, 422],
      ["updatePassword", { ...change, oldPassword: "hunter2-wrong" }, 403],
      ["updatePassword", change, 200],
    ] as const;
    for (const [method, payload, status] of calls) {
      const answer = await customer.call(method, payload);
      expect(answer.status).toBe(status);
      expect(inspect(answer, whole)).not.toContain("hunter2");
    }
    expect(told.length).toBeGreaterThan(calls.length);
    expect(inspect([lines, told], whole)).not.toContain("hunter2");
    for (const { text } of await stored()) expect(text).not.toContain("hunter2");
  });

  test("defect 10: log lines and hooks contain no password of a shop-system error", async () => {
    allowErrors();
    const written: string[] = [];
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, "write").mockImplementation((text) => written.push(String(text)) > 0);
    }
    const { client } = await start({
      log: createLog(),
      auth: { ...trustingAuth, login: failWithRequest },
    });
    const answer = await client().call("login", { ...as(7), password: "hunter2" });
    vi.restoreAllMocks();
    expect(answer).toMatchObject({ status: 500, body: { code: "internal_error" } });
    expect(written.join("")).toContain("status code 502");
    expect(written.join("")).not.toContain("hunter2");
  });

  const raw = "connect ECONNREFUSED redis://shop:hunter2@10.0.0.5:6379";

  test.each([
    ["an error", new Error(raw)],
    ["a text", raw],
    ["an h3 error", new HTTPError({ status: 500, message: raw, data: raw, body: { raw } })],
    ["an h3 refusal", new HTTPError({ status: 404, message: raw, data: raw, body: { raw } })],
    [
      "a fetch error",
      Object.assign(new Error(raw), { status: 422, data: raw, statusMessage: raw }),
    ],
    ["a problem's cause", new RpcError("limit_reached", { cause: new Error(raw) })],
  ])("defect 11: %s shows the client no internals", async (_, error) => {
    allowErrors();
    const fail = defineRpcMethod({ handler: () => Promise.reject(error) });
    const { client } = await start({ methods: { fail } });
    const answer = await client().call("fail");
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(inspect([answer.body, [...answer.headers]], whole)).not.toMatch(
      /hunter2|10\.0\.0\.5|ECONN/,
    );
  });

  test("defect 11: an unreachable Redis shows no internals, and no log line has its password", async () => {
    allowErrors();
    const session = { driver: "redis", url: "redis://shop:hunter2@127.0.0.1:1" };
    const { client, lines } = await start({ methods: testMethods, storage: { session } });
    const answer = await client().call("note", { begun: true });
    const { instance, ...problem } = answer.body;
    expect(instance).toMatch(/^urn:uuid:/);
    expect(problem).toEqual({
      type: "about:blank",
      title: "The storage does not answer",
      status: 503,
      code: "storage_unavailable",
    });
    expect(inspect(lines, whole)).not.toContain("hunter2");
  });

  test("defect 12: an explicit undefined keeps the inherited value", async () => {
    const nothing: SessionConfig = { secret: undefined, maxAge: undefined, sameSite: undefined };
    const shops = testConfig().shops.map((shop) => ({ ...shop, session: nothing }));
    const app = createStorefront(testConfig({ shops, session: { maxAge: 60 } }), {
      production: true,
    });
    onTestFinished(() => app.close());
    const kept = { secrets: [testSecret], maxAge: 60, sameSite: "lax" };
    expect(app.options.shops).toMatchObject([{ session: kept }, { session: kept }]);
    const none = testConfig({ shops, session: nothing });
    expect(() => createStorefront(none, { production: true })).toThrow(ConfigError);
  });

  test("defect 13: the server rejects bodies of other content types and cross-origin pages", async () => {
    const { client } = await start({ methods: testMethods });
    const guest = client();
    await guest.call("note", { mine: true });
    const before = await stored();
    const body = new TextEncoder().encode('{"payload":{"theirs":true}}');
    const json = "application/json";
    const types = [
      undefined,
      "",
      "text/plain",
      "text/plain; application/json",
      "application/jsonp",
    ];
    types.push("application/x-www-form-urlencoded", "multipart/form-data; boundary=x");
    const foreign = ["https://evil.example", "null", "http://localhost.evil.example"];
    const attacks = [
      ...types.map((type) => [415, type === undefined ? {} : { "content-type": type }] as const),
      ...foreign.map((origin) => [403, { "content-type": json, origin }] as const),
      [403, { "content-type": json, "sec-fetch-site": "cross-site" }] as const,
    ];
    for (const [status, headers] of attacks) {
      const answer = await guest.request("/api/rpc/note", {
        method: "POST",
        headers: { "x-shop-id": "1001", ...(headers as Record<string, string>) },
        body,
      });
      expect(answer, JSON.stringify(headers)).toMatchObject({ status, setCookies: [] });
    }
    const empty = {
      method: "POST",
      headers: { "x-shop-id": "1001", origin: "https://evil.example" },
    };
    expect((await guest.request("/api/rpc/logout", empty)).status).toBe(403);
    expect(await stored()).toEqual(before);
  });

  test("defect 16: the server finds a valid cookie behind a stale one", async () => {
    const { client } = await start({ auth: trustingAuth });
    const [stale, valid] = [client(), client()];
    await stale.call("login", as(7));
    const old = stale.cookieHeader;
    await stale.call("logout");
    await valid.call("login", as(7));
    const cookie = `$session-1001=nonsense; ${old}; ${valid.cookieHeader}`;
    expect((await client().call("getUser", undefined, { cookie })).body.user.id).toBe(7);
  });
});

// --- Internal helpers ---

/** Shows everything: by default `inspect` cuts deep or long values, which could hide a secret. */
const whole = { depth: 12, maxStringLength: Infinity, maxArrayLength: Infinity };

/** Fails as axios does: with the request, headers and body, in its error. */
async function failWithRequest({ password }: Credentials): Promise<never> {
  const config = { headers: { authorization: "Bearer hunter2" }, data: `{"pass":"${password}"}` };
  throw Object.assign(new Error("Request failed with status code 502"), { config });
}

function toCookie(id: string, signature: string): string {
  return encodeURIComponent(`s:${id}.${signature}`);
}
