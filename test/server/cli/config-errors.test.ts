import { expect, test } from "vitest";
import { createFolder, plain, runCli, shops } from "../../_cli.ts";

const hangingRoutes = `export default {
  shops: ${shops},
  server: { routes: () => new Promise(() => {}) },
};`;

test.each([
  [
    "a module",
    "a.mjs",
    {
      "a.mjs": `import "./b/c.mjs"; ${plain}`,
      "b/c.mjs":
        'import { defineRpcMethod } from "storefront-core";\n\ndefineRpcMethod({ acess: "user" });',
    },
    /^storefront: <folder>\/a\.mjs: defineRpcMethod: .* in <folder>\/b\/c\.mjs, line 3 \(SF902\)\n$/,
  ],
  [
    "a package",
    "a.ts",
    {
      "a.ts":
        'import { fail } from "pkg";\ninterface A { a: string }\nexport default () => fail();',
      "node_modules/pkg/package.json": '{ "type": "module", "exports": "./index.js" }',
      "node_modules/pkg/index.js": 'export function fail() { throw new TypeError("boom"); }',
    },
    /^storefront: <folder>\/a\.ts: boom, line 3 \(SF902\)\n$/,
  ],
  [
    "a config, which speaks of another line,",
    "a.ts",
    { "a.ts": '\nthrow new Error("line 9 of prices.csv is empty")' },
    /^storefront: <folder>\/a\.ts: line 9 of prices\.csv is empty, line 2 \(SF902\)\n$/,
  ],
])("an error in %s names the line of the project", async (_, file, files, expected) => {
  const folder = await createFolder(files);
  const { code, stderr } = await runCli(["start", "--config", file], { folder });
  expect(code).toBe(1);
  expect(stderr.replaceAll(folder, "<folder>")).toMatch(expected);
});

test.each([
  ["start", "a config", `await new Promise(() => {}); ${plain}`],
  ["dev", "a config", `await new Promise(() => {}); ${plain}`],
  ["doctor", "a config", `await new Promise(() => {}); ${plain}`],
  ["start", "server.routes", hangingRoutes],
])("%s says that %s awaits forever", async (command, _, text) => {
  const folder = await createFolder({ "storefront.config.mjs": text });
  const { code, stderr } = await runCli([command], { folder });
  expect(code).toBe(1);
  // Some versions of Node print a warning first.
  expect(stderr).toMatch(
    /^storefront: the config, .*, or server\.routes awaits a promise that nothing can resolve.* \(SF902\)$/m,
  );
});
