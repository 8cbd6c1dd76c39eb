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
  const ownPackage = await readPackage(join(target, "package.json"));
  const written: string[] = [];
  const existing: string[] = [];
  for (const [path, text] of files) {
    const isWritten = await writeNew(join(target, path), text);
    (isWritten ? written : existing).push(path);
  }
  const missing = ownPackage === undefined ? [] : describeMissing(packageFile, ownPackage);
  missing.push(...(await findMissing(target, existing)));
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
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Reads the `package.json` that the folder has already, before anything is written.
 * @throws Error if it isn't a JSON object
 */
async function readPackage(path: string): Promise<Partial<PackageFile> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw error;
  }
  try {
    // npm accepts a byte order mark, too.
    const found: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    if (typeof found === "object" && found !== null && !Array.isArray(found)) return found;
  } catch {
    // The message of the parser would show text of the file.
  }
  throw new Error(`${path} is not a JSON object. Correct or remove it; nothing was written`);
}

/** The steps that complete the other existing files. */
async function findMissing(target: string, existing: readonly string[]): Promise<string[]> {
  const read = (path: string) => readFile(join(target, path), "utf8");
  const steps: string[] = [];
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

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code);
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
    ...list("Complete these files", missing),
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
