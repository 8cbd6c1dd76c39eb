import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { listSources } from "../_built.ts";
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
      /^dist\/(?:adapters|chunks|rpc|server|shared|storage)\/(?:[\w-]+\/)*[\w-]+\.(?:js|js\.map|d\.ts)$/;
    const isLinked =
      /^(?:CHANGELOG\.md|CONTRIBUTING\.md|storefront\.config\.ts|docs\/|examples\/|bench\/(?:RESULTS\.md|chart\.svg)$)/;
    const others = packed.filter((path) => !isModule.test(path) && !isLinked.test(path));
    const page = ["api.js", "calls.js", "dom.js", "form.js", "method.js", "page.css", "page.html"]
      .concat("page.js", "visitor.js")
      .map((file) => `server/dev-page/files/${file}`);
    expect(others.toSorted()).toEqual([
      "LICENSE",
      "README.md",
      "dist/LICENSES.md",
      "package.json",
      ...page,
    ]);
    expect(packed.filter((path) => /node_modules|\/\.(?!npmrc|dockerignore)/.test(path))).toEqual(
      [],
    );
    for (const file of ["server/cli/cli", "server/index", "rpc/client", "storage/index"]) {
      for (const end of ["js", "d.ts"]) expect(packed).toContain(`dist/${file}.${end}`);
    }
  });

  test("contains each source once, and nothing of earlier builds", async () => {
    const { stdout } = await run("npx", ["tsc", "-p", "tsconfig.build.json", "--listFilesOnly"], {
      cwd: root,
    });
    const sources = stdout
      .split("\n")
      .filter(isSource)
      .map((path) => path.slice(root.length));
    const ofBuild = packed.filter((path) => path.startsWith("dist/"));
    expect(ofBuild.filter((path) => path.endsWith(".d.ts")).toSorted()).toEqual(
      sources.map((path) => `dist/${path.replace(/ts$/, "d.ts")}`).toSorted(),
    );
    const files = ofBuild.filter((path) => path.endsWith(".js"));
    const contained = files
      // The client is a file of its own, so it contains some sources again.
      .filter((path) => path !== "dist/rpc/client.js")
      .flatMap((path) => listSources(join(root, path)))
      .filter((path) => sources.includes(path));
    expect(contained.filter((path, at) => contained.indexOf(path) !== at)).toEqual([]);
    expect(contained).toContain("server/rpc-handler.ts");
    const loaded = await listLoaded(files);
    expect(files.filter((path) => !loaded.has(path))).toEqual([]);
  });

  test("contains no install script", async () => {
    const { scripts = {} } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      scripts?: Record<string, string>;
    };
    expect(Object.keys(scripts).filter((name) => /^(?:pre|post)?install$/.test(name))).toEqual([]);
  });
});

// --- Internal helpers ---

/** The entries of package.json, and the files that they import. */
async function listLoaded(files: readonly string[]): Promise<ReadonlySet<string>> {
  const { bin, exports, imports } = JSON.parse(
    await readFile(join(root, "package.json"), "utf8"),
  ) as Record<string, object>;
  const loaded = new Set(JSON.stringify([bin, exports, imports]).match(/dist\/[^"]+/g));
  for (const file of loaded) {
    const text = await readFile(join(root, file), "utf8");
    for (const [, path = ""] of text.matchAll(/(?:\bfrom |\bimport |\bimport\()"(\.[^"]+)"/g)) {
      const imported = join(dirname(file), path);
      if (files.includes(imported)) loaded.add(imported);
    }
  }
  return loaded;
}

function isSource(path: string): boolean {
  return path.startsWith(root) && !/node_modules|\.d\.ts$/.test(path);
}
