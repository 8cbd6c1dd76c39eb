import { expect, onTestFinished, test } from "vitest";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { createServerApp } from "../../../server/cli/http-server.ts";
import { openStorefront } from "../../../server/storefront.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { forProduction, testConfig } from "../../_setup.ts";

/** Requests `/` of the server of `storefront start`. @returns the status and the target, or the text */
async function requestHome(
  config: Partial<StorefrontConfig> = {},
  { production = false, ip = "127.0.0.1", host = "localhost:3000", method = "GET" } = {},
) {
  const { log } = createTestLog();
  const storefront = openStorefront(testConfig({ log, ...config }), { production });
  onTestFinished(() => storefront.app.close());
  const request = new Request(`http://${host}/`, { method });
  Object.defineProperty(request, "ip", { value: ip });
  const response = await (await createServerApp(storefront)).fetch(request);
  return `${response.status} ${response.headers.get("location") ?? (await response.text())}`;
}

test("/ leads to the development page", async () => {
  expect(await requestHome()).toBe("302 /_storefront");
});

test("/ is a route of the config if that has one", async () => {
  const server: StorefrontConfig["server"] = { routes: (app) => void app.get("/", () => "home") };
  expect(await requestHome({ server })).toBe("200 home");
});

test("/ is an unknown path in production, and for requests that the page rejects", async () => {
  const unknown = /^404 .*"code":"unknown_path"/;
  expect(await requestHome(forProduction, { production: true })).toMatch(unknown);
  expect(await requestHome({}, { ip: "192.0.2.1" })).toMatch(unknown);
  expect(await requestHome({}, { host: "evil.example" })).toMatch(unknown);
  expect(await requestHome({}, { method: "POST" })).toMatch(unknown);
});
