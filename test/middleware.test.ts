import { serve } from "h3";
import { expect, onTestFinished, test } from "vitest";
import { createStorefront } from "../server/app.ts";
import { createTestLog } from "./_log.ts";
import { testConfig } from "./_setup.ts";

test("middleware that a deployment adds runs before calls, too", async () => {
  const { log } = createTestLog();
  const app = createStorefront(testConfig({ log }), { production: false });
  onTestFinished(() => app.close());
  const seen: string[] = [];
  app.use(({ url }) => void seen.push(url.pathname));
  const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
  onTestFinished(() => server.close(true));
  await server.ready();
  const response = await fetch(`${server.url}de/api/rpc/getUser`, { method: "POST" });
  expect(response.status).toBe(200);
  expect(seen).toEqual(["/de/api/rpc/getUser"]);
});
