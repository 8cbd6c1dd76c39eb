import { describe, expect, test } from "vitest";
import { openStorefront } from "../../server/storefront.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { sendRaw, serveOnPort } from "../_raw.ts";
import { testConfig } from "../_setup.ts";

const one = { shopId: 1, locale: "de-DE", currency: "EUR" };
const two = { shopId: 2, locale: "en-US", currency: "USD" };

/** Starts a real server with a shop for each host, and calls it by raw requests. */
async function open(hosts: readonly (string | readonly string[])[], trustProxy = false) {
  const shops = hosts.map((host, index) => ({ ...[one, two][index], host }));
  const { log } = createTestLog();
  const config = testConfig({ log, shops: shops as never, shopSelector: "domain", trustProxy });
  const port = await serveOnPort(openStorefront(config, { production: false }));
  return async (host: string, headers = "", target = "/api/rpc/getShopConfiguration") => {
    const answer = await sendRaw(
      port,
      `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n${headers}\r\n{}`,
    );
    const [, shopId] = /"shopId":(\d+)/.exec(answer) ?? [];
    const [, code] = /"code":"(\w+)"/.exec(answer) ?? [];
    return shopId === undefined ? code : Number(shopId);
  };
}

describe("a shop with a host, behind a real server,", () => {
  test("responds at each form of the same host", async () => {
    const find = await open(["shop.example", ["*.other.example", "xn--mller-kva.example:8080"]]);
    for (const host of [
      "shop.example",
      "shop.example.",
      "shop.example.:8443",
      "SHOP.Example",
      "Shop.Example.:80",
    ]) {
      expect(await find(host), host).toBe(1);
    }
    expect(await find("www.other.example.")).toBe(2);
    expect(await find("XN--Mller-KVA.example.:8080")).toBe(2);
    for (const host of ["shop.example..", ".shop.example", "shop.example.evil.example.", "."]) {
      expect(await find(host), host).toBe("unknown_shop");
    }
  });

  test("responds to an absolute target, whatever Host is (RFC 9112, 3.2.2)", async () => {
    const find = await open(["shop.example", "other.example"]);
    const path = "/api/rpc/getShopConfiguration";
    expect(await find("other.example", "", `http://shop.example${path}`)).toBe(1);
    expect(await find("other.example", "", `http://shop.example.${path}`)).toBe(1);
  });

  test("responds at each form that a trusted proxy reports", async () => {
    const find = await open(["shop.example"], true);
    for (const host of ["shop.example.", "SHOP.example.", "shop.example.:443"]) {
      expect(await find("10.0.0.1:3000", `X-Forwarded-Host: ${host}\r\n`), host).toBe(1);
    }
  });

  test("knows its own page at the host with a dot at its end", async () => {
    const find = await open(["shop.example", "other.example"]);
    const call = (host: string, origin: string) =>
      find(host, `Origin: ${origin}\r\n`, "/api/rpc/getShopConfiguration");
    expect(await call("shop.example.", "http://shop.example.")).toBe(1);
    expect(await call("shop.example.", "http://other.example.")).toBe("foreign_origin");
    expect(await call("shop.example.", "http://evil.example.")).toBe("foreign_origin");
  });

  test("responds at an IPv4 address", async () => {
    const find = await open(["127.0.0.1", "shop.example"]);
    expect(await find("127.0.0.1:3000")).toBe(1);
    expect(await find("[::1]:3000")).toBe("unknown_shop");
  });
});
