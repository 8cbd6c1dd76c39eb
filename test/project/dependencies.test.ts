import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { readTable } from "../_table.ts";

/** The lock file's entry of a package; `dev`, `optional`, or `devOptional` if users don't need it. */
interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const { dependencies } = await readJson<{ dependencies: Record<string, string> }>("package.json");
const { packages } = await readJson<{ packages: Record<string, LockedPackage> }>(
  "package-lock.json",
);
const production = Object.entries(packages).filter(
  ([path, { dev, devOptional, optional }]) => path !== "" && !dev && !devOptional && !optional,
);

describe("docs/dependencies.md", () => {
  test("lists each dependency with the pinned and locked version", () => {
    const rows = readTable("docs/dependencies.md", "package");
    const told = rows.map(([name = "", version, licence, , brings]) => ({
      name: name.replaceAll("`", ""),
      version,
      licence,
      brings: Number(brings),
    }));
    const locked = Object.entries(dependencies).map(([name, version]) => {
      const path = `node_modules/${name}`;
      const brings = collect(path).size - 1;
      return { name, version, licence: packages[path]?.license, brings };
    });
    expect(told).toEqual(locked);
    for (const { name, version } of locked) {
      expect(version, name).toBe(packages[`node_modules/${name}`]?.version);
    }
  });

  test("counts the packages that users get", async () => {
    const text = await readFile(join(root, "docs/dependencies.md"), "utf8");
    const count = /\*\*(\d+) packages\*\*/.exec(text)?.[1];
    expect(Number(count)).toBe(production.length);
  });
});

test("no development dependency is a peer of unstorage, which would load types of missing packages", async () => {
  const { devDependencies } = await readJson<{ devDependencies: Record<string, string> }>(
    "package.json",
  );
  const { peerDependencies } = await readJson<{ peerDependencies: Record<string, string> }>(
    "node_modules/unstorage/package.json",
  );
  expect(Object.keys(devDependencies).filter((name) => name in peerDependencies)).toEqual([]);
});

test("no package that users get has an install script", () => {
  expect(production.length).toBeGreaterThan(0);
  const running = production.filter(([, { hasInstallScript }]) => hasInstallScript);
  expect(running.map(([path]) => path)).toEqual([]);
});

describe(".ci/audit", () => {
  const report = '{ "auditReportVersion": 2 }';

  test.each([
    ["passes where there is no fault", report, 0, 0, "no known fault"],
    ["fails where there is one", report, 1, 1, "auditReportVersion"],
    ["says where the registry did not answer", '{ "message": "405" }', 1, 0, "did not answer"],
    ["and where nothing came at all", "", 1, 0, "did not answer"],
  ])("%s", async (_, answer, code, expected, text) => {
    const folder = await mkdtemp(join(tmpdir(), "storefront-audit-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "npm"), `#!/bin/sh\necho '${answer}'\nexit ${code}\n`);
    await chmod(join(folder, "npm"), 0o755);
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"]}` };
    const { status, stdout } = spawnSync(join(root, ".ci/audit"), { env, encoding: "utf8" });
    expect(status).toBe(expected);
    expect(stdout).toContain(text);
  });
});

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(join(root, file), "utf8")) as T;
}

/** The paths of a package and of all that it needs, itself included. */
function collect(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const name of Object.keys(packages[path]?.dependencies ?? {})) {
    collect(findInstalled(path, name), found);
  }
  return found;
}

/** Resolves a dependency of a package: in its own `node_modules`, or in one above. */
function findInstalled(path: string, name: string): string {
  const inner = `${path}/node_modules/${name}`;
  if (inner in packages) return inner;
  const above = path.lastIndexOf("/node_modules/");
  return above === -1 ? `node_modules/${name}` : findInstalled(path.slice(0, above), name);
}
