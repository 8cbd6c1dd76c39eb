import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listSources } from "../../_built.ts";
import { testSecret } from "../../_setup.ts";
import { createFolder, plain, startCli, until } from "../../_cli.ts";

/** Runs a server until its first response. @returns the URLs of all modules that it loaded, as Node lists them for coverage */
async function listModules(): Promise<readonly string[]> {
  const settings =
    "{ session: { secret: process.env.SECRET }, storage: { singleProcess: true }, auth: { login() {}, register() {}, changePassword() {} }, shops";
  const folder = await createFolder({
    "storefront.config.mjs": plain.replace("{ shops", settings),
  });
  const coverage = join(folder, "coverage");
  const server = await startCli(["start"], {
    folder,
    // In development, calls of built-in methods load the descriptions of their results.
    env: { NODE_ENV: "production", SECRET: testSecret, NODE_V8_COVERAGE: coverage },
  });
  expect(await server.call("getUser")).toEqual([200, {}]);
  server.signal("SIGTERM");
  await until(() => server.output.includes("The server shuts down"));
  // Otherwise, the server would wait for requests on the connection of the call.
  server.signal("SIGTERM");
  expect(await server.exited).toBe(1);
  const texts = await Promise.all(
    (await readdir(coverage)).map((file) => readFile(join(coverage, file), "utf8")),
  );
  return texts.flatMap((text) => {
    const { result } = JSON.parse(text) as { readonly result: readonly { readonly url: string }[] };
    return result.map(({ url }) => url);
  });
}

test("a start loads no module that only other commands and rare calls need", async () => {
  const urls = await listModules();
  const packages = urls.flatMap(
    (url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? [],
  );
  // A new package delays each start. Import it when a call needs it, if only some calls do.
  expect([...new Set(packages)].toSorted()).toEqual([
    "cookie-es",
    "destr",
    "h3",
    "lru-cache",
    "rou3",
    "srvx",
    "uncrypto",
    "unstorage",
  ]);
  const sources = urls.filter((url) => url.includes("/dist/")).flatMap(listSources);
  expect(sources).toContain("server/rpc-handler.ts");
  for (const name of [
    "server/config/doctor",
    "server/config/explain",
    "server/cli/service-doctor",
    "server/openapi/document",
    "server/dev-page/dev-page",
  ]) {
    expect(sources).not.toContain(`${name}.ts`);
  }
});
