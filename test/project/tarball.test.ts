import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { root } from "../_cli.ts";

const run = promisify(execFile);

let packed: readonly string[];

beforeAll(async () => {
  const pack = ["pack", "--json", "--ignore-scripts", "--dry-run"];
  const { stdout } = await run("npm", pack, { cwd: root });
  const [tarball] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  packed = tarball.files.map(({ path }) => path);
}, 60_000);

describe("the tarball", () => {
  test("contains the needed files, and nothing else", () => {
    const isModule =
      /^dist\/(?:adapters|rpc|server|shared|storage)\/(?:[\w-]+\/)*[\w-]+\.(?:js|d\.ts)$/;
    const isLinked =
      /^(?:CHANGELOG\.md|CONTRIBUTING\.md|storefront\.config\.ts|docs\/|examples\/|bench\/(?:RESULTS\.md|chart\.svg)$)/;
    const others = packed.filter((path) => !isModule.test(path) && !isLinked.test(path));
    const page = ["css", "html"].map((type) => `dist/server/dev-page/files/page.${type}`);
    expect(others.toSorted()).toEqual(["LICENSE", "README.md", ...page, "package.json"]);
    expect(packed.filter((path) => /node_modules|\/\.(?!npmrc|dockerignore)/.test(path))).toEqual(
      [],
    );
    for (const file of ["server/cli/cli", "server/index", "rpc/client", "storage/index"]) {
      for (const end of ["js", "d.ts"]) expect(packed).toContain(`dist/${file}.${end}`);
    }
  });

  test("contains a module for each source, and none of earlier builds", async () => {
    const { stdout } = await run("npx", ["tsc", "-p", "tsconfig.build.json", "--listFilesOnly"], {
      cwd: root,
    });
    const modules = stdout
      .split("\n")
      .filter(isSource)
      .map((path) => `dist/${path.slice(root.length).replace(/\.ts$/, ".js")}`)
      .concat("dist/rpc/accounts/frequent-passwords.js"); // written by build/frequent-passwords.mjs
    // The scripts of the development page are sent to the browser as they are.
    expect(packed.filter((path) => /^dist(?!.*\/files\/).*\.js$/.test(path)).toSorted()).toEqual(
      modules.toSorted(),
    );
  });

  test("contains no install script", async () => {
    const { scripts = {} } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      scripts?: Record<string, string>;
    };
    expect(Object.keys(scripts).filter((name) => /^(?:pre|post)?install$/.test(name))).toEqual([]);
  });
});

// --- Internal helpers ---

function isSource(path: string): boolean {
  return path.startsWith(root) && !/node_modules|\.d\.ts$/.test(path);
}
