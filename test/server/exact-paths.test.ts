import { H3 } from "h3";
import { describe, expect, onTestFinished, test } from "vitest";
import { openStorefront, type OpenStorefront } from "../../server/storefront.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { sendRaw, serveApp, serveOnPort } from "../_raw.ts";
import { testConfig } from "../_setup.ts";

const token = "an-admin-token-of-more-than-32-characters";

/** How the storefront is served: by `storefront start`, by itself, or in another app. */
const servers = {
  "storefront start": serveOnPort,
  "h3's serve": ({ app }: OpenStorefront) => serveApp(app),
  "an outer app": ({ app }: OpenStorefront) => serveApp(new H3({ silent: true }).mount("/", app)),
};
type Server = keyof typeof servers;
const names = Object.keys(servers) as Server[];

async function open(server: Server) {
  const { log } = createTestLog();
  const storefront = openStorefront(testConfig({ log, admin: { token } }), { production: false });
  onTestFinished(() => storefront.app.close());
  const port = await servers[server](storefront);
  /** Sends a target as it is, with a header that would name the shop. */
  const statusOf = async (target: string, method = "POST", shopId: string | null = "1001") => {
    const head = [
      `${method} ${target} HTTP/1.1`,
      "Host: shop.example",
      ...(shopId === null ? [] : [`x-shop-id: ${shopId}`]),
      `Authorization: Bearer ${token}`,
      "Content-Length: 0",
      "Connection: close",
    ];
    const answer = await sendRaw(port, `${head.join("\r\n")}\r\n\r\n`);
    const status = Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1]);
    // Other paths are the outer app's.
    if (status === 404 && server === "storefront start")
      expect(answer).toContain("application/problem+json");
    return status;
  };
  return statusOf;
}

describe.each(names)("a method, served by %s", (server) => {
  test.each([
    "/api/rpc/getUser",
    "/de/api/rpc/getUser",
    "/api/rpc/getUser?",
    "/api/rpc/getUser?a=/../%2e%2e//b\\c",
    "http://shop.example/api/rpc/getUser",
    "HTTP://shop.example/de/api/rpc/getUser?x=1",
  ])("responds at %s", async (target) => {
    const statusOf = await open(server);
    expect(await statusOf(target)).toBe(200);
  });

  test.each([
    "/x/api/rpc/getUser",
    "/us/api/rpc/getUser",
    "/DE/api/rpc/getUser",
    "/de/de/api/rpc/getUser",
    "/api/rpc/getUser/",
    "/de/api/rpc/getUser/",
    "/api/rpc/getUser//",
    "//api/rpc/getUser",
    "/api//rpc/getUser",
    "/api/rpc//getUser",
    "//de/api/rpc/getUser",
    "/de//api/rpc/getUser",
    "/api/rpc/get%55ser",
    "/api/rpc/%67etUser",
    "/%61pi/rpc/getUser",
    "/d%65/api/rpc/getUser",
    "/api%2Frpc/getUser",
    "/api/rpc/getUser%2F",
    "/api/rpc/getUser%20",
    "/api/rpc/getUser;a=b",
    "/api/rpc/getUser#",
    "/api/rpc/getUser#a?b",
    "http://shop.example/de/api/rpc/getUser#a",
    "/api/rpc/GetUser",
    "/api/rpc/x/../getUser",
    "/x/../api/rpc/getUser",
    "/x/y/../../api/rpc/getUser",
    "/./api/rpc/getUser",
    "/api/./rpc/getUser",
    "/api/rpc/getUser/.",
    "/api/rpc/getUser/x/..",
    "/x/%2e%2e/api/rpc/getUser",
    "/x/.%2E/api/rpc/getUser",
    "\\api\\rpc\\getUser",
    "/api\\rpc\\getUser",
    "/api/rpc\\getUser",
    "/x\\../api/rpc/getUser",
    "http://shop.example/x/../api/rpc/getUser",
    "http://shop.example//api/rpc/getUser",
    "http://shop.example/api/rpc/getUser/",
    "http://shop.example\\x/../api/rpc/getUser",
  ])("doesn't respond at %s", async (target) => {
    const statusOf = await open(server);
    // Some can't be the target of a request.
    for (const method of ["POST", "GET", "OPTIONS", "PUT"]) {
      expect([400, 404], method).toContain(await statusOf(target, method));
    }
  });

  test("rejects a path of one shop with the header of another", async () => {
    const statusOf = await open(server);
    expect(await statusOf("/us/api/rpc/getUser", "POST", "1002")).toBe(200);
    expect(await statusOf("/us/api/rpc/getUser", "POST", null)).toBe(200);
    expect(await statusOf("/us/api/rpc/getUser", "POST", "1001")).toBe(404);
    expect(await statusOf("/us/api/rpc/getUser", "POST", "7")).toBe(404);
  });
});

describe.each(names)("an admin call, served by %s", (server) => {
  test("responds at its own path only", async () => {
    const statusOf = await open(server);
    expect(await statusOf("/api/admin/endAllSessions")).toBe(200);
    for (const target of [
      "/api/admin/endAllSessions/",
      "/api/admin//endAllSessions",
      "//api/admin/endAllSessions",
      "/de/api/admin/endAllSessions",
      "/api/admin/endAll%53essions",
      "/api/x/../admin/endAllSessions",
      "/api\\admin\\endAllSessions",
      "/api/rpc/../admin/endAllSessions",
    ]) {
      expect(await statusOf(target), target).toBe(404);
    }
  });
});

describe.each(names)("a health check, served by %s", (server) => {
  test.each(["/healthz", "/readyz"])(
    "responds at %s, with or without a trailing slash",
    async (path) => {
      const statusOf = await open(server);
      for (const target of [path, `${path}/`, `${path}?probe=1`, `${path}/?probe=1`]) {
        expect(await statusOf(target, "GET"), target).toBe(200);
      }
      for (const target of [
        `/${path}`,
        `${path}//`,
        `/x/..${path}`,
        `\\${path.slice(1)}`,
        `/de${path}`,
      ]) {
        expect([400, 404], target).toContain(await statusOf(target, "GET"));
      }
    },
  );
});
