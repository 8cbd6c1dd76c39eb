import { basename } from "node:path";
import { checks, type Framework } from "./frameworks.ts";

/** The parts of a `package.json` that a project needs. */
export interface PackageFile {
  readonly name: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

/**
 * Creates the `package.json` of a project, with the versions that our own tests run.
 * @param folder the project's absolute path
 * @param own our `package.json`
 * @param example the `package.json` of the example, if it has one
 */
export function createPackageFile(
  folder: string,
  framework: Framework,
  own: PackageFile,
  example?: PackageFile,
): PackageFile {
  const versions = { ...own.devDependencies, ...own.dependencies };
  const pick = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, versions[name] as string]));
  return {
    name: toPackageName(folder),
    private: true,
    type: "module",
    scripts: { ...example?.scripts, ...framework.scripts, lint: "oxlint", test: "vitest run" },
    dependencies: sort({
      ...example?.dependencies,
      ...pick(framework.dependencies),
      "storefront-core": `^${own.version}`,
    }),
    devDependencies: sort({
      ...example?.devDependencies,
      ...pick([...framework.devDependencies, ...checks]),
    }),
    ...(example?.overrides && { overrides: example.overrides }),
  };
}

/** The steps that add the missing parts to a `package.json` that exists. */
export function describeMissing(wanted: PackageFile, existing: Partial<PackageFile>): string[] {
  const known = { ...existing.dependencies, ...existing.devDependencies };
  const missing = (packages: Readonly<Record<string, string>>) =>
    Object.entries(packages)
      .filter(([name]) => known[name] === undefined)
      .map(([name, version]) => `"${name}@${version}"`);
  const absent = (part: "scripts" | "overrides") =>
    Object.entries(wanted[part] ?? {})
      .filter(([name]) => existing[part]?.[name] === undefined)
      .map(([name, value]) => `"${part}.${name}=${value}"`);
  const fields = [...absent("scripts"), ...absent("overrides")];
  const isModule = existing.type === wanted.type;
  if (!isModule) fields.push(`"type=${wanted.type}"`);
  const others = Object.entries(wanted.scripts)
    .filter(([name, script]) => (existing.scripts?.[name] ?? script) !== script)
    .map(([name, script]) => `Your script "${name}" stays. The one of this project is: ${script}`);
  const commands = [
    ["npm pkg set", fields],
    ["npm install", missing(wanted.dependencies)],
    ["npm install --save-dev", missing(wanted.devDependencies)],
  ] as const;
  const steps = commands.flatMap(([command, args]) => {
    return args.length === 0 ? [] : [`${command} ${args.join(" ")}`];
  });
  if (!isModule)
    others.unshift(
      "The type module makes your .js files ES modules: rename those of CommonJS to .cjs",
    );
  return [...steps, ...others];
}

// --- Internal helpers ---

function toPackageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return name === "" || name === "storefront-core" ? "my-shop" : name;
}

function sort(entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
