import { existsSync } from "node:fs";

/**
 * The URL of this package's folder. The sources and the files of a build are at different depths below it.
 *
 * No `new URL("./", import.meta.url)`, because Next.js would search for a module of that name.
 * @throws TypeError in a bundle of CommonJS, which has no `import.meta.url`
 */
export function findPackageFolder(): URL {
  const { url } = import.meta;
  let current = new URL(url);
  while (!existsSync(new URL("package.json", current))) {
    const parent = new URL("../", current);
    if (parent.href === current.href) throw new TypeError(`No package.json above ${url}`);
    current = parent;
  }
  return new URL("./", current);
}
