import { describe, expect, onTestFinished, test } from "vitest";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import type { StorefrontConfig } from "../../server/config/config.ts";
import { createStorefront } from "../../server/storefront.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { testConfig } from "../_setup.ts";

const methods = {
  whatIp: defineRpcMethod({ handler: (_, { ip }) => ({ ip }) }),
};

const send = async (
  config: Partial<StorefrontConfig>,
  headers: Record<string, string> = {},
  properties = {},
) => {
  const { log, lines } = createTestLog();
  const app = createStorefront(testConfig({ log, methods, ...config }), { production: false });
  onTestFinished(() => app.close());
  const ips: unknown[] = [];
  for (let count = 0; count < 2; count++) {
    const request = new Request("http://shop.example/de/api/rpc/whatIp", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: "{}",
    });
    const response = await app.fetch(Object.assign(request, properties));
    ips.push((await response.json()).ip);
  }
  expect(ips[1]).toBe(ips[0]);
  return { ip: ips[0], messages: lines.map(({ message }) => message) };
};
const clientAddress = (request: Request) => request.headers.get("x-edge") ?? undefined;

describe("clientAddress", () => {
  test("names the client, or the proxy whose headers trustProxy trusts", async () => {
    const edge = { "x-edge": "198.51.100.4", "x-forwarded-for": "203.0.113.7" };
    expect(await send({ clientAddress }, edge)).toEqual({ ip: "198.51.100.4", messages: [] });
    const trusted = await send({ clientAddress, trustProxy: ["198.51.100.0/24"] }, edge);
    expect(trusted.ip).toBe("203.0.113.7");
  });

  test("uses the property ip of the request, or Cloudflare's header, if the config has none", async () => {
    expect((await send({}, {}, { ip: "198.51.100.4" })).ip).toBe("198.51.100.4");
    const header = { "cf-connecting-ip": "198.51.100.4" };
    expect((await send({}, header, { cf: { colo: "VIE" } })).ip).toBe("198.51.100.4");
    // Outside of Cloudflare, any client can send the header.
    expect((await send({}, header)).ip).toBeUndefined();
  });

  test("must be set if the request has no other address: a log line names the limit that is off", async () => {
    const { ip, messages } = await send({ clientAddress });
    expect(ip).toBeUndefined();
    expect(messages).toEqual([expect.stringMatching(/loginAttempts\.perAddress.*clientAddress/)]);
    expect((await send({ loginAttempts: false })).messages).toEqual([]);
  });

  test.each(["", "unknown", "localhost", null, 7, { address: "198.51.100.4" }])(
    "must be set, too, if the server around the storefront sets request.ip to %j",
    async (ip) => {
      for (const trustProxy of [false, true, ["loopback"]]) {
        const found = await send({ trustProxy }, {}, { ip });
        expect(found.ip).toBeUndefined();
        expect(found.messages).toEqual([expect.stringMatching(/loginAttempts\.perAddress/)]);
      }
    },
  );

  test("causes one error line if it fails or returns something else", async () => {
    const wrong = [
      () => "unknown",
      () => 7 as never,
      () => {
        throw new Error("no socket");
      },
    ];
    for (const each of wrong) {
      const { ip, messages } = await send({ clientAddress: each, loginAttempts: false });
      expect(ip).toBeUndefined();
      expect(messages).toEqual([expect.stringMatching(/^clientAddress (?:returned|failed)/)]);
    }
  });
});
