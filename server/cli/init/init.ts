import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { print } from "../output.ts";
import { readChoices, type Choices } from "./choices.ts";
import { frameworks } from "./frameworks.ts";
import { describeMissing, type PackageFile } from "./package-file.ts";
import { createProject } from "./project-files.ts";

/**
 * Creates a project, and prints its files and the next commands. It overwrites no file.
 * @param folder of the project, relative to the current one
 * @param options of the command line, by their names
 * @throws StartError if an option is invalid; Error if a file can't be written
 */
export async function init(
  folder: string,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const choices = await readChoices(options, isTerminal && options["yes"] !== true);
  const target = resolve(folder);
  const { files, packageFile } = await createProject(target, choices);
  const written: string[] = [];
  const existing: string[] = [];
  for (const [path, text] of files) {
    const isWritten = await writeNew(join(target, path), text);
    (isWritten ? written : existing).push(path);
  }
  const missing = await findMissing(target, existing, packageFile);
  print(process.stdout, describe({ target, choices, written, existing, missing }));
}

// --- Internal helpers ---

/** @returns whether the file didn't exist */
async function writeNew(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  try {
    // Only this user can read the secret.
    await writeFile(path, text, { flag: "wx", mode: path.endsWith(".env") ? 0o600 : 0o666 });
    return true;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "EEXIST") return false;
    throw error;
  }
}

/** The steps that add what the existing files lack. */
async function findMissing(
  target: string,
  existing: readonly string[],
  packageFile: PackageFile,
): Promise<string[]> {
  const read = (path: string) => readFile(join(target, path), "utf8");
  const steps: string[] = [];
  if (existing.includes("package.json")) {
    const found = JSON.parse(await read("package.json")) as Partial<PackageFile>;
    steps.push(...describeMissing(packageFile, found));
  }
  const isIgnored = async () => /^\/?\.env$/m.test(await read(".gitignore"));
  if (existing.includes(".gitignore") && !(await isIgnored())) {
    steps.push("Add .env to .gitignore, because it has a secret");
  }
  const hasSecret = async () => (await read(".env")).includes("STOREFRONT_SESSION_SECRET=");
  if (existing.includes(".env") && !(await hasSecret())) {
    steps.push("Add STOREFRONT_SESSION_SECRET to .env, for example from: openssl rand -hex 32");
  }
  return steps;
}

function describe(result: {
  readonly target: string;
  readonly choices: Choices;
  readonly written: readonly string[];
  readonly existing: readonly string[];
  readonly missing: readonly string[];
}): string {
  const { target, choices, written, existing, missing } = result;
  const folder = relative(process.cwd(), target);
  return [
    ...list(`Created in ${folder || "this folder"}`, written),
    ...list("Not changed, because they exist", existing),
    ...list("Add what these files lack", missing),
    ...list("Next", [
      ...(folder === "" ? [] : [`cd ${/\s/.test(folder) ? JSON.stringify(folder) : folder}`]),
      "npm install",
      ...(choices.storage === "redis" ? ["docker compose up -d"] : []),
      "npm run dev",
    ]),
    `Then open ${frameworks[choices.framework].url}. The page calls your method in methods/greet.ts.`,
    ...(choices.commerce === "vendure" ? ["Set VENDURE_URL and VENDURE_CHANNEL in .env."] : []),
    "",
  ].join("\n");
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), ""];
}
