import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../_cli.ts";

const cwd = fileURLToPath(new URL(".", import.meta.url));

describe("the packed package", () => {
  let folder: string;
  let tarball: string;
  let files: string[];

  beforeAll(async () => {
    execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd, stdio: "pipe" });
    folder = await mkdtemp(join(tmpdir(), "storefront-packed-"));
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const [packed] = JSON.parse(execFileSync("npm", pack, { cwd: root }).toString()) as [
      { readonly filename: string; readonly files: readonly { readonly path: string }[] },
    ];
    tarball = join(folder, packed.filename);
    files = packed.files.map(({ path }) => path);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("passes publint", () => {
    const text = execFileSync("npx", ["publint", "--strict", tarball], { cwd }).toString();
    expect(text).toContain("All good!");
  });

  test("gives every ESM importer the types of each entry (attw)", async () => {
    // The package has no CommonJS, so Node 20.19 and later `require` the modules themselves.
    const args = ["attw", "--profile", "esm-only", "--format", "json", tarball];
    const { analysis } = JSON.parse(execFileSync("npx", args, { cwd }).toString()) as {
      readonly analysis: {
        readonly entrypoints: object;
        readonly problems: readonly { readonly kind: string; readonly resolutionKind: string }[];
      };
    };
    const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      readonly exports: object;
    };
    expect(Object.keys(analysis.entrypoints)).toEqual(Object.keys(exports));
    const ofEsm = analysis.problems.filter(
      ({ resolutionKind }) => !["node10", "node16-cjs"].includes(resolutionKind),
    );
    expect(ofEsm).toEqual([]);
  });

  test("contains every file that its README and docs link to", async () => {
    const documents = files.filter((path) => path.endsWith(".md"));
    expect(documents).toContain("docs/mounting.md");
    for (const document of documents) {
      const text = await readFile(join(root, document), "utf8");
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link = ""]) =>
        join(dirname(document), decodeURI(link)),
      );
      const missing = links.filter(
        (link) =>
          !files.some((path) => path === link || path.startsWith(`${link.replace(/\/$/, "")}/`)),
      );
      expect(missing, document).toEqual([]);
    }
  });
});
