import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createStorefront } from "../../../server/storefront.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { createFolder, root, runCli } from "../../_cli.ts";
import { listen } from "../../_https.ts";
import { testConfig } from "../../_setup.ts";

const page = new Response("page");
const redirect = new Response(null, {
  status: 308,
  headers: { location: "https://shop.example/" },
});
const known = { "strict-transport-security": "max-age=31536000" };

test.each([
  ["finds SF818 if the shop has a page by plain HTTP", page, {}, true],
  ["finds no SF818 if plain HTTP redirects to HTTPS", redirect, {}, false],
  ["finds no SF818 if browsers know that the host has HTTPS", page, known, false],
])("doctor --url %s", async (_, plain, headers, isFound) => {
  const { log } = createTestLog();
  const app = createStorefront(testConfig({ log }), { production: false });
  onTestFinished(() => app.close());
  const https = await listen("https://shop.example", async (request) => {
    const response = await app.fetch(request);
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    return response;
  });
  const http = await listen("http://shop.example", () => plain.clone());
  const { stdout } = await runCli(["doctor", "--url", "https://shop.example/de", "--json"], {
    folder: await createFolder({}),
    env: {
      NODE_OPTIONS: `--import ${pathToFileURL(join(root, "test/fixtures/loopback-ports.mjs"))}`,
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
      TEST_HTTPS_PORT: new URL(https).port,
      TEST_HTTP_PORT: new URL(http).port,
    },
  });
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly { code: string }[] };
  expect(findings.some(({ code }) => code === "SF818")).toBe(isFound);
});
