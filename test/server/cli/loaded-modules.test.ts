import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFolder, plain, startCli } from "../../_cli.ts";

/** Runs a server until its first response. @returns the URLs of all modules that it loaded, as Node lists them for coverage */
async function listModules(): Promise<readonly string[]> {
  const folder = await createFolder({ "storefront.config.mjs": plain });
  const coverage = join(folder, "coverage");
  const server = await startCli(["start"], { folder, env: { NODE_V8_COVERAGE: coverage } });
  expect(await server.call("getUser")).toEqual([200, {}]);
  server.signal("SIGTERM");
  expect(await server.exited).toBe(0);
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
    "cockatiel",
    "cookie-es",
    "destr",
    "h3",
    "lru-cache",
    "rou3",
    "srvx",
    "uncrypto",
    "unstorage",
    "zod",
  ]);
  const own = urls.flatMap(
    (url) => /\/dist\/((?:server|rpc|storage|shared)\/.*)\.js$/.exec(url)?.[1] ?? [],
  );
  expect(own).toContain("server/rpc-handler");
  for (const name of [
    "server/config/doctor",
    "server/config/explain",
    "server/cli/service-doctor",
    "server/openapi/document",
    "server/dev-page/dev-page",
  ]) {
    expect(own).not.toContain(name);
  }
});
