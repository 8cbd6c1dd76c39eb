import { parseSetCookie, type SetCookie } from "cookie-es";
import { serve } from "h3";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTestClock } from "../../../server/testing/test-clock.ts";
import { createStorefront } from "../../../server/storefront.ts";
import type { SessionConfig } from "../../../server/config/keys/session-keys.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { createTestAuth, testAccount as account } from "../../_client.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeServers, testConfig } from "../../_setup.ts";
import { testMethods } from "../../fixtures/methods.ts";

const item = { variantId: 7, quantity: 1 };

describeServers("the session cookie", ({ start }) => {
  test("sets a cookie with Max-Age only if rememberMe is on", async () => {
    const clock = createTestClock();
    const config = { auth: createTestAuth(), session: { maxAge: 1000 } };
    const { client } = await start(config, { clock });
    for (const [rememberMe, maxAge] of [
      [true, 1000],
      [undefined, 1000],
      [false, undefined],
    ]) {
      const user = client();
      const { setCookies } = await user.call("login", { ...account, rememberMe });
      expect(toCookie(setCookies)?.maxAge, `rememberMe: ${rememberMe}`).toBe(maxAge);
      const renewed = await user.call("updatePassword", {
        oldPassword: account.password,
        newPassword: "battery staple",
      });
      expect(toCookie(renewed.setCookies)?.maxAge, `renewed, ${rememberMe}`).toBe(maxAge);
      await clock.advance(200);
      const extended = await user.call("getUser");
      expect(extended.setCookies, `extended, ${rememberMe}`).toHaveLength(1);
      expect(toCookie(extended.setCookies)?.maxAge, `extended, ${rememberMe}`).toBe(maxAge);
    }
  });

  test("issues no cookie that is longer than the 4,096 bytes of browsers", async () => {
    const [cookieName, id] = ["x".repeat(64), "\u20ac".repeat(64)];
    const { client } = await start({ methods: testMethods, session: { cookieName } });
    const user = client();
    expect((await user.call("enter", { id })).status).toBe(200);
    expect((await user.call("getUser")).body.user.id).toBe(id);
    expect(Buffer.byteLength(user.cookieHeader)).toBeLessThanOrEqual(4096);
  });

  test("clears a cookie with the attributes with which it was set", async () => {
    const session = { domain: "shop.example", partitioned: true, sameSite: "strict" } as const;
    const { client } = await start({ session });
    const guest = client();
    const given = toCookie((await guest.call("addItemToBasket", item)).setCookies);
    const taken = toCookie((await guest.call("logout")).setCookies);
    expect(taken).toEqual({ ...given, value: "", maxAge: 0 });
  });
});

describe("the session cookie's attributes", () => {
  const always = { path: "/", httpOnly: true, maxAge: 86_400 };
  const cases: [SessionConfig, "http" | "https", Partial<SetCookie>][] = [
    [{}, "http", { sameSite: "lax" }],
    [{}, "https", { sameSite: "lax", secure: true }],
    [{ secure: true }, "http", { sameSite: "lax", secure: true }],
    [{ secure: false }, "https", { sameSite: "lax" }],
    [{ sameSite: "strict" }, "http", { sameSite: "strict" }],
    [{ sameSite: "none" }, "http", { sameSite: "none", secure: true }],
    [{ sameSite: "none" }, "https", { sameSite: "none", secure: true }],
    [{ partitioned: true }, "http", { sameSite: "lax", secure: true, partitioned: true }],
    [
      { domain: "shop.example" },
      "https",
      { sameSite: "lax", secure: true, domain: "shop.example" },
    ],
    [{ cookieName: "__Host-s" }, "http", { sameSite: "lax", secure: true, name: "__Host-s-1001" }],
    [
      { cookieName: "__Secure-s" },
      "http",
      { sameSite: "lax", secure: true, name: "__Secure-s-1001" },
    ],
  ];
  test.each(cases)("sets the cookie with %j over %s as %j", async (session, scheme, expected) => {
    const app = createApp({ session });
    const request = new Request(`${scheme}://shop.example/de/api/rpc/addItemToBasket`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ payload: item }),
    });
    const response = await app.fetch(request);
    expect(toCookie(response.headers.getSetCookie())).toEqual({
      ...always,
      name: "$session-1001",
      value: expect.stringMatching(/^s:/),
      ...expected,
    });
  });

  test.each<[SessionConfig, string]>([
    [{ sameSite: "none", secure: false }, "session.secure"],
    [{ partitioned: true, secure: false }, "session.secure"],
    [{ cookieName: "__Host-s", secure: false }, "session.secure"],
    [{ cookieName: "__Secure-s", secure: false }, "session.secure"],
    [{ cookieName: "__Host-s", domain: "shop.example" }, "session.domain"],
    [{ cookieName: "__host-s", domain: "shop.example" }, "session.domain"],
  ])("rejects %j at startup, because browsers drop the cookie", (session, path) => {
    expect(() => createApp({ session })).toThrow(path);
  });

  test.each([
    [true, true],
    [["127.0.0.1"], true],
    [["127.0.0.0/8"], true],
    [["loopback"], true],
    [["10.0.0.1"], false],
    [["uniquelocal"], false],
    [false, false],
  ])("with trustProxy %j, X-Forwarded-Proto: https makes Secure %j", async (trustProxy, secure) => {
    const app = createApp({ trustProxy });
    const server = serve(app, {
      port: 0,
      hostname: "127.0.0.1",
      silent: true,
      gracefulShutdown: false,
    });
    await server.ready();
    onTestFinished(() => server.close(true));
    const response = await fetch(new URL("/de/api/rpc/addItemToBasket", server.url), {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-proto": "https" },
      body: JSON.stringify({ payload: item }),
    });
    expect(toCookie(response.headers.getSetCookie())?.secure ?? false).toBe(secure);
  });
});

function createApp(config: Partial<StorefrontConfig>) {
  const { log } = createTestLog();
  const app = createStorefront(testConfig({ log, ...config }), { production: false });
  onTestFinished(() => app.close());
  return app;
}

function toCookie(lines: readonly string[]): SetCookie | undefined {
  expect(lines).toHaveLength(1);
  return parseSetCookie(lines[0] ?? "");
}
