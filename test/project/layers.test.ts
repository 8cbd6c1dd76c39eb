import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const layers = ["server", "rpc", "storage", "adapters", "shared"];

/** Each import goes against the direction of its layer. */
const backward = [
  ["rpc/a.ts", "../server/cors.ts"],
  ["rpc/b.ts", "../adapters/vendure.ts"],
  ["rpc/c.ts", "h3"],
  ["rpc/d.ts", "#openapi"],
  ["rpc/e.ts", "storefront-core"],
  ["rpc/lists/a.ts", "../../server/services.ts"],
  ["rpc/methods/a.ts", "../call.ts"],
  ["rpc/methods/b.ts", "../session/call-session.ts"],
  ["rpc/methods/c.ts", "../../storage/sessions/session.ts"],
  ["rpc/client.ts", "./call.ts"],
  ["rpc/client/a.ts", "../call.ts"],
  ["rpc/client/b.ts", "../../storage/index.ts"],
  ["storage/a.ts", "../rpc/shop.ts"],
  ["storage/b.ts", "../server/cors.ts"],
  ["storage/c.ts", "h3"],
  ["storage/d.ts", "#commerce"],
  ["storage/e.ts", "storefront-core/client"],
  ["storage/documents/a.ts", "../sessions/session.ts"],
  ["storage/documents/b.ts", "../redis/redis-adapter.ts"],
  ["storage/documents/c.ts", "../leases/lease.ts"],
  ["storage/documents/d.ts", "../store.ts"],
  ["storage/redis/a.ts", "../sessions/session.ts"],
  ["storage/redis/b.ts", "../store.ts"],
  ["storage/sessions/a.ts", "../redis/redis-adapter.ts"],
  ["storage/sessions/b.ts", "../grants/due-list.ts"],
  ["storage/cache/a.ts", "../sessions/session.ts"],
  ["storage/leases/a.ts", "../redis/redis-adapter.ts"],
  ["storage/grants/a.ts", "../redis/redis-adapter.ts"],
  ["server/a.ts", "../adapters/vendure.ts"],
  ["server/b.ts", "./cli/run.ts"],
  ["server/c.ts", "./config/check.ts"],
  ["server/dev-page/a.ts", "../cli/run.ts"],
  ["server/credentials/a.ts", "../rpc-handler.ts"],
  ["server/credentials/b.ts", "../config/load.ts"],
  ["server/config/a.ts", "../cors.ts"],
  ["server/config/b.ts", "../credentials/cookie.ts"],
  ["server/config/c.ts", "../cli/run.ts"],
  ["server/config/rules/a.ts", "../../cors.ts"],
  ["server/config/rules/b.ts", "../../credentials/cookie.ts"],
  ["adapters/a.ts", "../server/cors.ts"],
  ["adapters/b.ts", "../rpc/error.ts"],
  ["adapters/c.ts", "../storage/store.ts"],
  ["adapters/d.ts", "../shared/copy.ts"],
  ["adapters/e.ts", "#commerce"],
  ["shared/log.ts", "../storage/index.ts"],
] as const;

/** Two files that need each other's types. */
const circle = [
  ["rpc/circle-a.ts", "./circle-b.ts"],
  ["rpc/circle-b.ts", "./circle-a.ts"],
] as const;

/** Files that no layer admits, because they belong to another folder. */
const stray = ["shared/new.ts"];

/** Allowed imports, so that a rule that rejects everything fails here. */
const forward = [
  ["server/z.ts", "../rpc/error.ts"],
  ["rpc/z.ts", "../storage/store.ts"],
  ["storage/sessions/z.ts", "../documents/documents.ts"],
  ["storage/redis/z.ts", "../documents/adapter.ts"],
  ["adapters/z.ts", "../server/index.ts"],
] as const;

const rejected = new Set<string>();

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "storefront-layers-"));
  try {
    await copyFile(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
    const stays = stray.map((path) => [path, "node:fs"] as const);
    for (const [path, imported] of [...backward, ...stays, ...forward]) {
      await writeImport(join(folder, path), imported);
    }
    for (const [path, imported] of circle) {
      const text = `import type { Other } from "${imported}";\n\nexport type Own = Other;\n`;
      await writeFile(join(folder, path), text);
    }
    for (const path of await lint(folder)) rejected.add(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);

test.each(backward)("lint rejects an import against the direction of layers: %s → %s", (path) => {
  expect(rejected).toContain(path);
});

test.each(circle)("lint rejects a circle of imports of types: %s → %s", (path) => {
  expect(rejected).toContain(path);
});

test.each(forward)("lint accepts an import in the direction of layers: %s → %s", (path) => {
  expect(rejected).not.toContain(path);
});

test.each(stray)("lint rejects the file %s", (path) => {
  expect(rejected).toContain(path);
});

test("shared/ has logging, copying, and the check of names only", async () => {
  expect((await readdir(join(root, "shared"))).toSorted()).toEqual([
    "copy.ts",
    "log.ts",
    "similar.ts",
  ]);
});

test("no file name appears in two layers, except index.ts", async () => {
  const layersOf = new Map<string, Set<string>>();
  for (const path of await listSources()) {
    const name = basename(path);
    if (name === "index.ts") continue;
    const [layer = ""] = path.split("/");
    layersOf.set(name, (layersOf.get(name) ?? new Set()).add(layer));
  }
  const twice = [...layersOf].filter(([, found]) => found.size > 1).map(([name]) => name);
  expect(twice).toEqual([]);
});

async function writeImport(path: string, imported: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `import { value } from "${imported}";\n\nexport const other = value;\n`);
}

/** The paths of all sources. */
async function listSources(): Promise<readonly string[]> {
  const found = layers.map(async (layer) => {
    const paths = await readdir(join(root, layer), { recursive: true });
    return paths.filter((path) => path.endsWith(".ts")).map((path) => join(layer, path));
  });
  return (await Promise.all(found)).flat();
}

/** The files in which lint finds an import or a file that it rejects. */
async function lint(folder: string): Promise<readonly string[]> {
  const command = join(root, "node_modules/oxlint/bin/oxlint");
  const output = await new Promise<string>((resolve) => {
    // The exit code is 1 if lint finds something, as it should.
    execFile(process.execPath, [command, "-f", "json"], { cwd: folder }, (_, stdout) => {
      resolve(stdout);
    });
  });
  const { diagnostics } = JSON.parse(output) as {
    readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
  };
  return diagnostics
    .filter(({ code }) => /no-restricted-imports|no-cycle|max-lines/.test(code))
    .map(({ filename }) => filename);
}
