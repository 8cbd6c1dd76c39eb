import { existsSync, readFileSync } from "node:fs";

/**
 * The URL of this package's folder. The sources and the files of a build are at different depths below it.
 *
 * No `new URL("./", import.meta.url)`, because Next.js would search for a module of that name.
 * @throws TypeError in a bundle: it is outside of the package, or has no `import.meta.url`
 */
export function findPackageFolder(): URL {
  const { url } = import.meta;
  let current = new URL(url);
  while (!isThisPackage(new URL("package.json", current))) {
    const parent = new URL("../", current);
    if (parent.href === current.href)
      throw new TypeError(`No package.json of storefront-core above ${url}`);
    current = parent;
  }
  return new URL("./", current);
}

/** The version of this package. */
export function readVersion(): string {
  const text = readFileSync(new URL("package.json", findPackageFolder()), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

// --- Internal helpers ---

function isThisPackage(file: URL): boolean {
  if (!existsSync(file)) return false;
  const { name } = JSON.parse(readFileSync(file, "utf8")) as { readonly name?: unknown };
  return name === "storefront-core";
}
