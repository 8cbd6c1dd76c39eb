import { describe, expect, test } from "vitest";
import { openStorefront } from "../../server/storefront.ts";
import { createFolder, plain, startCli } from "../_cli.ts";
import { createTestLog } from "../../server/testing/test-log.ts";
import { sendRaw, serveOnPort } from "../_raw.ts";
import { testConfig } from "../_setup.ts";

/** The head of a call with so many header fields in all. */
function headOf(count: number, path = "/de/api/rpc/getUser"): string {
  const fields = ["Host: shop.example", "Content-Length: 0", "Connection: close"];
  while (fields.length < count) fields.push(`a${fields.length}: b`);
  return `POST ${path} HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`;
}

async function open(): Promise<number> {
  const { log } = createTestLog();
  const storefront = openStorefront(testConfig({ log }), { production: false });
  return serveOnPort(storefront);
}

describe("header fields", () => {
  test.each(["/de/api/rpc/getUser", "/de/api/rpc/getUser?x", "/healthz", "/nowhere"])(
    "number 200 or fewer in a request to %s",
    async (path) => {
      const port = await open();
      expect(await sendRaw(port, headOf(200, path))).not.toMatch(/^HTTP\/1.1 431/);
      for (const count of [201, 500, 1900]) {
        const answer = await sendRaw(port, headOf(count, path));
        expect(answer).toMatch(/^HTTP\/1.1 431 .*"code":"headers_too_large"/s);
      }
    },
  );

  test("reach storefront start in full, even above the limit", async () => {
    const folder = await createFolder({ "storefront.config.mjs": plain });
    const { origin } = await startCli(["start"], { folder });
    const port = Number(new URL(origin).port);
    expect(await sendRaw(port, headOf(200, "/api/rpc/getUser"))).toMatch(/^HTTP\/1.1 200 /);
    for (const count of [201, 300, 2500]) {
      const answer = await sendRaw(port, headOf(count, "/api/rpc/getUser"));
      expect(answer).toMatch(/^HTTP\/1.1 431 .*"code":"headers_too_large"/s);
    }
  });

  test.each(["/de/api/rpc/getUser", "/de/api/rpc/getUser?x", "/healthz"])(
    "can't contain two hosts at %s, in any order and case",
    async (path) => {
      const port = await open();
      for (const second of ["Host: evil.example", "hOST: shop.example", "host:"]) {
        for (const hosts of [
          `Host: shop.example\r\n${second}`,
          `${second}\r\nHost: shop.example`,
        ]) {
          const head = `POST ${path} HTTP/1.1\r\n${hosts}\r\nContent-Length: 0\r\nConnection: close`;
          const answer = await sendRaw(port, `${head}\r\n\r\n`);
          expect(answer, hosts).toMatch(/^HTTP\/1.1 400 .*"code":"malformed_request"/s);
        }
      }
    },
  );
});
