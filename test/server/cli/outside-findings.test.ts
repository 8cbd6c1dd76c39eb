import { describe, expect, test } from "vitest";
import {
  foreignOrigin,
  judgeOutside,
  type OutsideView,
} from "../../../server/cli/outside-findings.ts";

const url = new URL("https://shop.example");
const json = { "content-type": "application/json" };
const sound: OutsideView = {
  own: { status: 200, code: undefined, headers: withServer("nginx") },
  foreign: { status: 403, code: "foreign_origin", headers: {} },
  cookie: "$session-1=s%3Aa.b; Path=/; HttpOnly; Secure; SameSite=Lax",
  isConnectionKept: true,
  skews: [0, -700, 900],
  plain: { status: 308, location: "https://shop.example/" },
};

describe("the doctor of a running service, without the admin token", () => {
  test("finds nothing in a sound service", () => {
    expect(judgeOutside(url, sound)).toEqual([]);
  });

  test.each([
    [
      "SF804",
      "403 for the origin https://shop.example",
      own({ status: 403, code: "foreign_origin" }),
    ],
    ["SF811", "-4.0 s", { skews: [100, -4000, 3000] }],
    ["SF815", "404 unknown_method", own({ status: 404, code: "unknown_method" })],
    ["SF815", "404 unknown_shop", own({ status: 404, code: "unknown_shop" })],
    [
      "SF815",
      "404 unknown_path: The path is  [31m not below basePath",
      own({
        status: 404,
        code: "unknown_path",
        detail: "The path is \n\u001b[31m not below basePath",
      }),
    ],
    ["SF815", "200 text/html", own({ headers: { "content-type": "text/html" } })],
    ["SF815", "404 text/html", own({ status: 404, headers: { "content-type": "text/html" } })],
    ["SF816", "no session cookie", { cookie: "" }],
    ["SF816", "no session cookie", { cookie: "HttpOnly" }],
    ["SF816", "a cookie without Secure", cookie("Path=/; HttpOnly; SameSite=Lax")],
    ["SF816", "a cookie without HttpOnly", cookie("Path=/; Secure; SameSite=Lax")],
    ["SF816", "a cookie without SameSite", cookie("Path=/; HttpOnly; Secure")],
    ["SF816", "a cookie with Path=/shop", cookie("Path=/shop; HttpOnly; Secure; SameSite=Lax")],
    [
      "SF816",
      "a cookie with Domain=internal.example",
      cookie("Domain=internal.example; Path=/; HttpOnly; Secure; SameSite=Lax"),
    ],
    [
      "SF817",
      `calls of ${foreignOrigin}`,
      foreign({ status: 200, headers: allowing(foreignOrigin) }),
    ],
    ["SF818", "200 from http://shop.example", { plain: { status: 200, location: undefined } }],
    ["SF818", "301 from http://shop.example", { plain: { status: 301, location: "http://a/" } }],
    [
      "SF819",
      "Cache-Control: max-age=60",
      own({ headers: { ...json, "cache-control": "max-age=60" } }),
    ],
    ["SF819", "Cache-Control: ", own({ headers: json })],
    ["SF819", "Age: 7", own({ headers: { ...withServer("Caddy"), age: "7" } })],
    ["SF820", "a closed connection", { isConnectionKept: false }],
    ["SF821", "Server: nginx/1.24.0", own({ headers: withServer("nginx/1.24.0") })],
    [
      "SF821",
      "X-Powered-By: Express",
      own({ headers: { ...withServer("Caddy"), "x-powered-by": "Express" } }),
    ],
  ])("reports %s: found %s", (code, found, changes) => {
    expect(judgeOutside(url, { ...sound, ...changes })).toMatchObject([{ code, found }]);
  });

  test.each([
    [
      "a cookie for a parent of the host",
      cookie("Domain=.example; Path=/; HttpOnly; Secure; SameSite=Lax"),
    ],
    ["a shop without wishlists", { cookie: undefined }],
    ["a service that nobody can reach by plain HTTP", { plain: undefined }],
    [
      "a plain page, if browsers know that the host has HTTPS",
      {
        ...own({ headers: { ...withServer("Caddy"), "strict-transport-security": "max-age=9" } }),
        plain: { status: 200, location: undefined },
      },
    ],
    ["a method of the shop that rejects guests", own({ status: 403, code: "members_only" })],
    ["a rejected call with headers of a proxy", foreign({ status: 403, headers: allowing("*") })],
    [
      "calls of other sites without cookies",
      foreign({ status: 200, headers: { "access-control-allow-origin": "*" } }),
    ],
  ])("accepts %s", (_, changes) => {
    expect(judgeOutside(url, { ...sound, ...changes })).toEqual([]);
  });

  test("accepts a cookie without Secure at a URL without HTTPS", () => {
    const plain = new URL("http://localhost:3000");
    const view = { ...sound, ...cookie("Path=/; HttpOnly; SameSite=Lax") };
    expect(judgeOutside(plain, view)).toEqual([]);
  });
});

// --- Internal helpers ---

function own(changes: Partial<OutsideView["own"]>): Partial<OutsideView> {
  return { own: { ...sound.own, ...changes } };
}

function foreign(changes: Partial<OutsideView["foreign"]>): Partial<OutsideView> {
  return { foreign: { ...sound.foreign, ...changes } };
}

function cookie(attributes: string): Partial<OutsideView> {
  return { cookie: `$session-1=s%3Aa.b; ${attributes}` };
}

function withServer(server: string) {
  return { ...json, "cache-control": "no-store", server };
}

function allowing(origin: string) {
  return { "access-control-allow-origin": origin, "access-control-allow-credentials": "true" };
}
