import { once } from "node:events";
import { connect } from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServerApp } from "../../server/cli/http-server.ts";
import { listen, type Running } from "../../server/cli/listen.ts";
import { openStorefront } from "../../server/storefront.ts";
import { settle, testProperty } from "../_fuzz.ts";
import { hostileText, jsonText, mutation, nearTo } from "../_hostile.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { testConfig } from "../_setup.ts";

const { log, lines } = createTestLog();
const storefront = openStorefront(
  testConfig({ log, shopSelector: "path_or_default", maxBodySize: 5000, trustProxy: true }),
  { production: false },
);
let server: Running;
let port = 0;
beforeAll(async () => {
  server = await listen(storefront, await createServerApp(storefront), "127.0.0.1", 0);
  port = server.port;
});
afterAll(() => server.stop("reload"));

describe("bytes on the wire", () => {
  const target = fc.oneof(
    nearTo(["/de/api/rpc/getUser", "/api/rpc/addItemToBasket", "/healthz", "*", "http://x/api"]),
    fc.constantFrom(
      "/de/api/rpc/..%2f",
      "//de/api/rpc/getUser",
      "/de/../api/rpc/getUser",
      "/%ZZ",
      "?",
    ),
    hostileText,
  );
  const verb = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("POST", "GET") },
    fc.constantFrom("HEAD", "OPTIONS", "PUT", "TRACE", "PATCH", "PROPFIND", "get", ""),
  );
  const hosts = fc.oneof(
    { weight: 3, arbitrary: fc.constant("localhost") },
    nearTo(["localhost", "shop.example:443"]),
    fc.constantFrom(
      "[::",
      "[::1]:x",
      "a b",
      "a:b:c",
      "@",
      "a/b",
      "a?b",
      "a#b",
      "%41",
      "",
      "x:99999",
    ),
    hostileText,
  );
  const header = fc.tuple(
    fc.constantFrom("Cookie", "Authorization", "X-Shop-Id", "Origin", "Content-Type", "User-Agent"),
    fc.oneof(
      nearTo(["$session-1001=s%3Aa.b", "Bearer a.b", "1001", "https://x.example"]),
      hostileText,
    ),
  );
  const proxied = fc.tuple(
    fc.constantFrom(
      "X-Forwarded-For",
      "X-Forwarded-Host",
      "X-Forwarded-Proto",
      "X-Forwarded-Port",
      "Forwarded",
    ),
    fc.oneof(nearTo(["1.2.3.4, ::1", "shop.example", "https", "443"]), hostileText),
  );
  const requests = fc.record({
    verb,
    target,
    host: hosts,
    headers: fc.array(fc.oneof(header, proxied), { maxLength: 4 }),
    body: fc.oneof(
      jsonText.map((text) => `{"payload":${text}}`),
      hostileText,
    ),
    change: mutation,
    isWhole: fc.boolean(),
  });

  testProperty("get a response without a server error", 200, requests, async (input) => {
    lines.length = 0;
    const { verb: word, target: path, host, headers, body } = input;
    const length = Buffer.byteLength(body);
    const start = [`${word} ${path} HTTP/1.1`, `Host: ${host}`, "Connection: close"];
    const rest = headers.map(([name, value]) => `${name}: ${value.slice(0, 4000)}`);
    const type = ["Content-Type: application/json", `Content-Length: ${length}`];
    const text = `${[...start, ...rest, ...type].join("\r\n")}\r\n\r\n${body}`;
    const answer = await settle(
      exchange(input.isWhole ? text : input.change(text)),
      `${word} ${path}`,
    );
    // Node rejects invalid HTTP, and stays silent on an incomplete request.
    const [, status = "0", head = "", content = ""] =
      /^HTTP\/1\.1 (\d{3}) (.*?)\r\n\r\n(.*)$/s.exec(answer) ?? [];
    expect(Number(status), answer).toBeLessThan(500);
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
    if (!/^(?:0\r\n\r\n)?$/.test(content))
      expect(head).toMatch(/^content-type: application\/(?:problem\+)?json$/im);
  });
});

test.each(["getUser", "%67etUser"])(
  "rejects an invalid host as a malformed request: %s",
  async (name) => {
    lines.length = 0;
    const head = `POST /de/api/rpc/${name} HTTP/1.1\r\nHost: x:99999\r\nConnection: close\r\n\r\n`;
    const answer = await exchange(head);
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"malformed_request"/s);
    expect(lines).toEqual([]);
  },
);

test("logs no server error for an incomplete body", async () => {
  lines.length = 0;
  const head = "POST /de/api/rpc/getUser HTTP/1.1\r\nHost: localhost\r\n";
  await exchange(`${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"payload":`);
  expect(lines.filter(({ level }) => level !== "debug")).toEqual([]);
});

// --- Internal helpers ---

/** Sends bytes, and reads all that comes back until the connection ends. */
async function exchange(text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  await once(socket, "connect");
  const closed = once(socket, "close");
  socket.end(Buffer.from(text));
  await closed;
  return Buffer.concat(chunks).toString();
}
