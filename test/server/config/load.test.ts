import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createFolder, greeting, json, plain, runCli, shops, startCli } from "../../_cli.ts";

describe("a config", () => {
  const esm = greeting("hello").replace(": string", "");
  const cjs = esm
    .replace(/^import (.*) from (.*);/, "const $1 = require($2);")
    .replace("export default", "module.exports =");
  const compiled = cjs.replace("module.exports =", "exports.__esModule = true; exports.default =");

  test.each([
    ["storefront.config.ts", greeting("hello")],
    ["storefront.config.mts", greeting("hello")],
    ["storefront.config.js", esm],
    ["storefront.config.mjs", esm],
    ["storefront.config.cjs", cjs],
    ["storefront.config.cjs", compiled],
    ["storefront.config.mjs", `import "./helper";\n${esm}`],
    ["storefront.config.mjs", esm.replace("export default", "export default async () =>")],
  ])("loads as %s: %#", async (file, text) => {
    const folder = await createFolder({ [file]: text, "helper.ts": "export type Of = string;" });
    const server = await startCli(["start"], { folder });
    expect(await server.call("greet")).toEqual([200, "hello"]);
  });

  test("runs in Node without a compiler if it is JavaScript", async () => {
    const paths = "Object.keys(createRequire(import.meta.url).cache)";
    const isCompiled = `${paths}.some((path) => path.includes("jiti"))`;
    const text = `import { createRequire } from "node:module";\n${esm.replace('"hello"', isCompiled)}`;
    const folder = await createFolder({ "storefront.config.mjs": text });
    const server = await startCli(["start"], { folder });
    expect(await server.call("greet")).toEqual([200, false]);
  });

  test("leaves no compiled copy behind, because it can contain a secret", async () => {
    const files = { "storefront.config.ts": greeting("hello"), "node_modules/.cache/a": "" };
    const folder = await createFolder(files);
    await startCli(["start"], { folder, env: { TMPDIR: folder } });
    expect(await readdir(folder)).toEqual(["node_modules", "storefront.config.ts"]);
    expect(await readdir(join(folder, "node_modules/.cache"))).toEqual(["a"]);
  });

  test.each([
    ["storefront.config.ts", plain],
    ["storefront.config.mjs", plain],
    ["storefront.config.json", json],
    ["storefront.config.jsonc", `// The shop\n${json}`],
    ["storefront.config.json5", `{ shops: ${shops} }`],
    ["storefront.config.yaml", "shops: [{ shopId: 1, locale: de-DE, currency: EUR }]"],
    ["storefront.config.yml", "shops: [{ shopId: 1, locale: de-DE, currency: EUR }]"],
    ["storefront.config.toml", '[[shops]]\nshopId = 1\nlocale = "de-DE"\ncurrency = "EUR"'],
  ])("can be a plain object: %s", async (file, text) => {
    const folder = await createFolder({ [file]: text });
    const server = await startCli(["start"], { folder });
    expect(await server.call("getUser")).toEqual([200, {}]);
  });

  test.each(["sites/a/shop.config.ts", "absolute"])(
    "can be in another directory: %s",
    async (path) => {
      const file = "sites/a/shop.config.ts";
      const config = greeting("").replace('=> ""', '=> process.env["GREETING"] ?? "none"');
      const folder = await createFolder({
        [file]: config,
        ".env": "GREETING=wrong",
        "sites/a/.env": "GREETING='a $b ${c}'",
      });
      const args = ["start", "--config", path === "absolute" ? join(folder, file) : path];
      const server = await startCli(args, { folder });
      expect(await server.call("greet")).toEqual([200, "a $b ${c}"]);
    },
  );

  test("shares its classes with the server", async () => {
    const config = greeting("")
      .replace("import {", 'import * as methods from "./methods.ts";\nimport {')
      .replace(/methods: .*/, "methods,");
    const methods = `import { defineRpcMethod, RpcError } from "storefront-core";
export const refuse = defineRpcMethod({ handler() { throw new RpcError("unknown_item"); } });`;
    const folder = await createFolder({ "storefront.config.ts": config, "methods.ts": methods });
    const server = await startCli(["start"], { folder });
    expect(await server.call("refuse")).toMatchObject([404, { code: "unknown_item" }]);
  });
});

describe("a .env file next to the config", () => {
  const config = greeting("").replace('=> ""', '=> process.env["GREETING"] ?? "none"');

  test("adds variables to the environment, and changes none", async () => {
    const folder = await createFolder({ "storefront.config.ts": config, ".env": "GREETING=file" });
    const server = await startCli(["start"], { folder });
    expect(await server.call("greet")).toEqual([200, "file"]);
    for (const GREETING of ["real", ""]) {
      const other = await startCli(["start"], { folder, env: { GREETING } });
      expect(await other.call("greet")).toEqual([200, GREETING]);
    }
  });

  test("can set the port and production values", async () => {
    const folder = await createFolder({ "storefront.config.ts": config, ".env": "PORT=http" });
    expect((await runCli(["start"], { folder })).stderr).toContain("the variable PORT");
    await writeFile(join(folder, ".env"), "NODE_ENV=production");
    expect((await runCli(["start"], { folder })).stderr).toContain("session.secret: found nothing");
  });
});
