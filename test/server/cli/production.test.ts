import { describe, expect, test } from "vitest";
import { createFolder, plain, runCli, startCli } from "../../_cli.ts";
import { testSecret } from "../../_setup.ts";

describe("production", () => {
  const env = { NODE_ENV: "production" };

  test("doesn't start without a secret of 32 characters", async () => {
    const folder = await createFolder({ "storefront.config.ts": plain });
    const { code, stdout, stderr } = await runCli(["start"], { folder, env });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^storefront: The config has an error:\n {2}session\.secret: .*\n$/);
  });

  test("starts with such a secret, and doesn't print it", async () => {
    const secret = `process.env["SECRET"]`;
    const storage = `{ account: { driver: "fs", base: "./accounts" }, singleProcess: true }`;
    const settings = `{ session: { secret: ${secret} }, storage: ${storage}, shops`;
    const folder = await createFolder({
      "storefront.config.ts": plain.replace("{ shops", settings),
    });
    const server = await startCli(["start"], { folder, env: { ...env, SECRET: testSecret } });
    expect(server.stdout).not.toContain("session.secret");
    expect(server.stdout).toContain("the memory driver is for development");
    expect(server.output).not.toContain(testSecret);
  });

  test("isn't available in dev", async () => {
    const secret = '{ session: { secret: "short" }, shops';
    const folder = await createFolder({ "storefront.config.ts": plain.replace("{ shops", secret) });
    const server = await startCli(["dev"], { folder, env });
    expect(server.stdout).toContain("session.secret is shorter than 32 characters");
  });
});
