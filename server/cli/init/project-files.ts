import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { findPackageFolder } from "../../config/package-folder.ts";
import type { Choices } from "./choices.ts";
import { composeFile, createEnvironment, toConfig } from "./config-file.ts";
import { frameworks, type Framework } from "./frameworks.ts";
import { createPackageFile, type PackageFile } from "./package-file.ts";

/**
 * Creates the files of a project from an example, without writing them.
 * @param folder the project's absolute path
 */
export async function createProject(
  folder: string,
  choices: Choices,
): Promise<{
  /** The text of each file, by its path relative to the project. */
  readonly files: ReadonlyMap<string, string>;
  readonly packageFile: PackageFile;
}> {
  const framework: Framework = frameworks[choices.framework];
  const example = join(root, "examples", framework.example);
  const own = (await readPackage(root)) as PackageFile;
  const packageFile = createPackageFile(folder, framework, own, await readPackage(example));
  const files = new Map<string, string>();
  for (const path of await listFiles(example)) {
    const text = await readFile(join(example, path), "utf8");
    files.set(
      path.replaceAll(sep, "/"),
      path === configFile ? toConfig(text, choices) : toPage(text, choices),
    );
  }
  files.set("package.json", `${JSON.stringify(packageFile, null, 2)}\n`);
  files.set(".gitignore", `${ignored.join("\n")}\n`);
  files.set(".env", createEnvironment(choices));
  files.set("vitest.config.ts", testConfig);
  files.set("test/greet.test.ts", greetTest);
  if (choices.storage === "redis") files.set("compose.yaml", composeFile);
  return { files, packageFile };
}

// --- Internal helpers ---

const root = fileURLToPath(findPackageFolder());
const configFile = "storefront.config.ts";

/** Files that a build makes, data, and secrets. */
const ignored = [
  ".data",
  ".env",
  ".next",
  ".nuxt",
  ".output",
  ".svelte-kit",
  "build",
  "dist",
  "next-env.d.ts",
  "node_modules",
];

/** Files of an example that are about this repository. */
const omitted = new Set([
  ...ignored,
  ".gitignore",
  ".npmrc",
  "README.md",
  "package-lock.json",
  "package.json",
]);

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split(sep).some((name) => omitted.has(name)))
    .toSorted();
}

async function readPackage(folder: string): Promise<PackageFile | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageFile;
  } catch {
    return undefined;
  }
}

/** Changes a file of a page: its shop, and the number of items, which the baskets of Vendure don't have. */
function toPage(text: string, { shop, commerce }: Choices): string {
  const page = text.replaceAll("shopId: 1001", `shopId: ${shop}`);
  if (commerce === "none") return page;
  return page.replaceAll(
    /(?<=\bbasket\.)itemCount\b/g,
    "items.reduce((sum, { quantity }) => sum + quantity, 0)",
  );
}

/** Without the plugins of the pages, which the tests don't need. */
const testConfig = `import { defineConfig } from "vitest/config";

export default defineConfig({ test: { include: ["test/**/*.test.ts"] } });
`;

const greetTest = `import { createTestStorefront } from "storefront-core/testing";
import { afterAll, expect, test } from "vitest";
import config from "../storefront.config.ts";

// In memory, and without a commerce system: the test needs no other program.
const storefront = await createTestStorefront({
  ...config,
  storage: undefined,
  commerce: undefined,
});
afterAll(() => storefront.close());

test("greets a guest", async () => {
  const { body } = await storefront.visitor().call("greet");
  expect(body).toBe("Hello, guest!");
});
`;
