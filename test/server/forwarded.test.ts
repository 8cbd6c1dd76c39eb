import { once } from "node:events";
import { request } from "node:http";
import { serve } from "h3";
import { describe, expect, onTestFinished, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createStorefront } from "../../server/storefront.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createTestAuth } from "../_client.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { testConfig } from "../_setup.ts";

const methods = {
  whatIp: defineRpcMethod({ handler: (_, { ip }) => ({ ip }) }),
};

/** Serves a storefront on a port, without a word about proxies to the server around it. */
async function open(config: Partial<StorefrontConfig>) {
  const { log } = createTestLog();
  const app = createStorefront(testConfig({ log, methods, ...config }), { production: false });
  onTestFinished(() => app.close());
  const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
  onTestFinished(() => server.close(true));
  await server.ready();
  const call = async (
    method: string,
    headers: Record<string, string>,
    payload: unknown = undefined,
    path = "/de",
  ) => {
    const sent = request(
      `${server.url}${path.slice(1)}${path === "/" ? "" : "/"}api/rpc/${method}`,
      {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
      },
    );
    sent.end(JSON.stringify({ payload }));
    const [response] = await once(sent, "response");
    let text = "";
    for await (const part of response) text += part;
    return {
      status: response.statusCode,
      cookies: response.headers["set-cookie"],
      body: text === "" ? undefined : JSON.parse(text),
    };
  };
  const ipOf = async (forwardedFor: string) =>
    (await call("whatIp", { "x-forwarded-for": forwardedFor })).body.ip;
  return { app, call, ipOf };
}

const shopOf = async (
  { call }: Awaited<ReturnType<typeof open>>,
  headers: Record<string, string>,
) => (await call("getShopConfiguration", headers, undefined, "/")).body.shopId;

describe("the client's IP address", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["203.0.113.7:50001", "203.0.113.7"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["[2001:DB8::1]", "2001:db8::1"],
    ['"[2001:db8::1]:443"', "2001:db8::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["[::ffff:203.0.113.7]:80", "203.0.113.7"],
    ["::FFFF:203.0.113.7:50001", "203.0.113.7"],
    ['"203.0.113.7:50001"', "203.0.113.7"],
    ["fe80::1%eth0", "fe80::1"],
  ])("reads %s from a trusted proxy as %s", async (written, ip) => {
    const { ipOf } = await open({ trustProxy: ["127.0.0.1"] });
    expect(await ipOf(written)).toBe(ip);
  });

  test("uses the last address that isn't a trusted proxy, and ignores the client's own entries", async () => {
    const { ipOf } = await open({ trustProxy: ["loopback", "10.0.0.0/8", "2001:db8:1::/48"] });
    expect(await ipOf("198.51.100.1, 203.0.113.7")).toBe("203.0.113.7");
    expect(await ipOf("198.51.100.1, 203.0.113.7:4000, 10.1.2.3:5000")).toBe("203.0.113.7");
    expect(await ipOf("198.51.100.1, [2001:db8:1::5]:80, 10.1.2.3")).toBe("198.51.100.1");
    expect(await ipOf("10.0.0.9, 10.0.0.8")).toBe("10.0.0.9");
    expect(await ipOf("198.51.100.1, unknown, 10.1.2.3")).toBe("10.1.2.3");
    expect(await ipOf("unknown")).toBe("127.0.0.1");
    expect(await ipOf("")).toBe("127.0.0.1");
  });

  test.each([
    [["127.0.0.0/8"], true],
    [["loopback"], true],
    [["::ffff:127.0.0.1"], true],
    [["10.0.0.0/8", "127.0.0.1/32"], true],
    [["0.0.0.0/0"], true],
    [true, true],
    [["linklocal", "uniquelocal", "::1"], false],
    [["127.0.0.2"], false],
    [[], false],
    [false, false],
  ])("comes from the proxy with trustProxy %j: %j", async (trustProxy, isTrusted) => {
    const { ipOf } = await open({ trustProxy });
    expect(await ipOf("203.0.113.7")).toBe(isTrusted ? "203.0.113.7" : "127.0.0.1");
  });

  test.each(["203.0.113.7:%", "[2001:db8::7]:%"])(
    "counts logins from %s as one address on all ports",
    async (form) => {
      const { call } = await open({
        trustProxy: ["127.0.0.1"],
        auth: createTestAuth(),
        loginAttempts: { perAccount: 100, perAddress: 3, window: 60 },
      });
      const statuses: unknown[] = [];
      for (let index = 0; index < 5; index++) {
        const headers = { "x-forwarded-for": form.replace("%", String(50_000 + index)) };
        const account = { email: `nobody${index}@example.com`, password: "wrong horse" };
        statuses.push((await call("login", headers, account)).status);
      }
      expect(statuses).toEqual([401, 401, 401, 429, 429]);
    },
  );
});

describe("the URL behind a proxy", () => {
  const shops: StorefrontConfig["shops"] = [
    { shopId: 1001, locale: "de-DE", currency: "EUR", host: "de.example" },
    { shopId: 1002, locale: "en-US", currency: "USD", host: "us.example" },
  ];

  test("chooses the shop by X-Forwarded-Host if the proxy is trusted", async () => {
    const server = await open({ trustProxy: ["loopback"], shopSelector: "domain", shops });
    const rewritten = { host: "de.example" };
    expect(await shopOf(server, { ...rewritten, "x-forwarded-host": "us.example" })).toBe(1002);
    expect(await shopOf(server, { ...rewritten, "x-forwarded-host": "US.example:8443" })).toBe(
      1002,
    );
    for (const invalid of ["us.example/x", "a@us.example", "us.example:99999", "us example", ""]) {
      expect(await shopOf(server, { ...rewritten, "x-forwarded-host": invalid }), invalid).toBe(
        1001,
      );
    }
  });

  test("ignores X-Forwarded-Host of an untrusted proxy", async () => {
    const server = await open({ trustProxy: ["10.0.0.1"], shopSelector: "domain", shops });
    const headers = { host: "de.example", "x-forwarded-host": "us.example" };
    expect(await shopOf(server, headers)).toBe(1001);
  });

  test("takes the protocol from the trusted proxy nearest to the client", async () => {
    const { call } = await open({ trustProxy: ["loopback", "10.0.0.0/8"] });
    const isSecure = async (protocol: string, forwardedFor: string) => {
      const headers = { "x-forwarded-proto": protocol, "x-forwarded-for": forwardedFor };
      return (
        await call("addItemToBasket", headers, { variantId: 7, quantity: 1 })
      ).cookies?.[0]?.includes("; Secure");
    };
    expect(await isSecure("https", "203.0.113.7")).toBe(true);
    expect(await isSecure("HTTPS", "203.0.113.7")).toBe(true);
    expect(await isSecure("https, http", "203.0.113.7, 10.0.0.1")).toBe(true);
    expect(await isSecure("https, http", "203.0.113.7")).toBe(false);
    expect(await isSecure("gopher", "203.0.113.7")).toBe(false);
  });
});

describe("the header Forwarded (RFC 7239)", () => {
  const trusting = { trustProxy: ["loopback", "10.0.0.0/8"] };

  test.each([
    ["for=203.0.113.7", "203.0.113.7"],
    ["For=203.0.113.7;Proto=https, for=10.0.0.1", "203.0.113.7"],
    ['for="[2001:db8::1]:8080";proto=https', "2001:db8::1"],
    ['for="203.0.113.7:50001"', "203.0.113.7"],
    ["for=198.51.100.9, for=203.0.113.7, for=10.0.0.1", "203.0.113.7"],
    ['by="a, b;for=198.51.100.9";for=203.0.113.7', "203.0.113.7"],
    ["for=unknown", "127.0.0.1"],
    ["for=_hidden, for=10.0.0.1", "10.0.0.1"],
    ["proto=https", "127.0.0.1"],
    ['for="203.0.113.7', "127.0.0.1"],
  ])("reads %s as %s", async (forwarded, ip) => {
    const { call } = await open(trusting);
    expect((await call("whatIp", { forwarded })).body.ip).toBe(ip);
  });

  test("makes a cookie Secure, and an https page the storefront's own", async () => {
    const { call } = await open(trusting);
    const forwarded = "for=203.0.113.7;proto=https;host=shop.example, for=10.0.0.1";
    const headers = { forwarded, origin: "https://shop.example" };
    const added = await call("addItemToBasket", headers, { variantId: 1, quantity: 1 });
    expect(added.status).toBe(200);
    expect(added.cookies?.[0]).toContain("; Secure");
  });

  test("changes nothing next to X-Forwarded-* headers, which most proxies set, and from an untrusted peer", async () => {
    const forwarded = "for=198.51.100.9;proto=https";
    const trusted = await open(trusting);
    const headers = { forwarded, "x-forwarded-for": "203.0.113.7" };
    expect((await trusted.call("whatIp", headers)).body.ip).toBe("203.0.113.7");
    const untrusted = await open({ trustProxy: ["10.0.0.0/8"] });
    expect((await untrusted.call("whatIp", { forwarded })).body.ip).toBe("127.0.0.1");
  });
});
