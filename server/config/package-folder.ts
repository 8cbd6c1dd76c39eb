import { existsSync } from "node:fs";

/**
 * The URL of this package's folder. The sources and the files of a build are at different depths below it.
 * @throws TypeError in a bundle of CommonJS, which has no `import.meta.url`
 */
export function findPackageFolder(): URL {
  const { url } = import.meta;
  let folder = new URL("./", url);
  while (!existsSync(new URL("package.json", folder))) {
    const parent = new URL("../", folder);
    if (parent.href === folder.href) throw new TypeError(`No package.json above ${url}`);
    folder = parent;
  }
  return folder;
}
