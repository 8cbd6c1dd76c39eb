import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { systemRandom } from "../../storage/random.ts";
import type { Driver } from "unstorage";
import { describeError, type Logger } from "../../shared/log.ts";
import { openDriver } from "../../storage/open-driver.ts";
import { readVersion } from "./package-folder.ts";

/** The data of a development server. It survives reloads and restarts. */
export interface DevelopmentData {
  /** Its folder below `node_modules/.cache`. Only this user can read it. */
  readonly folder: string;
  /** Used if the config has no `session.secret`. */
  readonly secret: string;
  /** Used instead of the driver `memory`. */
  readonly driver: Driver;
}

/**
 * Opens the development data of a project whose config another program loads, for example Next.js.
 * @param project the absolute path of its folder
 */
export function openProjectData(project: string, log: Logger): DevelopmentData | undefined {
  return openDevelopmentData(join(project, "embedded"), { log });
}

/**
 * Opens the development data of a config. If another version of this package has written it, it starts empty, because
 * the format can differ.
 * @param file the config's absolute path
 * @param isFresh whether to start empty
 * @returns `undefined` if there is no project folder, or if its `node_modules` is read-only
 */
export function openDevelopmentData(
  file: string,
  { isFresh = false, log }: { readonly isFresh?: boolean; readonly log: Logger },
): DevelopmentData | undefined {
  const folder = findFolder(file);
  if (folder === undefined) return undefined;
  try {
    const version = readVersion();
    const state = isFresh ? undefined : readState(folder);
    if (state?.version === version && state.secret !== undefined) return open(folder, state.secret);
    if (state !== undefined) {
      const writer = state.version ?? "an unknown version";
      log.warn("The development data starts empty, because another version has written it", {
        folder,
        found: writer,
        expected: version,
      });
    }
    const secret = systemRandom.bytes(32).toString("hex");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, stateFile), JSON.stringify({ version, secret }), { mode: 0o600 });
    return open(folder, secret);
  } catch (error) {
    const reason = describeError(error);
    log.warn("Sessions end with this process, because their files can't be opened", {
      folder,
      reason,
    });
    return undefined;
  }
}

// --- Internal helpers ---

const stateFile = "state.json";

/** The open data of this process, by their folders. */
const opened = new Map<string, DevelopmentData>();

function open(folder: string, secret: string): DevelopmentData {
  const known = opened.get(folder);
  if (known?.secret === secret) return known;
  // One driver for all reloads: a storefront that still drains shares its locks with the new one.
  const driver = openDriver({ driver: "fs", base: join(folder, "documents") });
  const data = { folder, secret, driver };
  opened.set(folder, data);
  return data;
}

/** Each config of a project has its own folder in the project's `node_modules/.cache`. */
function findFolder(file: string): string | undefined {
  const project = findProject(dirname(file));
  if (project === undefined) return undefined;
  return join(project, "node_modules/.cache/storefront", relative(project, file));
}

function findProject(folder: string): string | undefined {
  const names = ["package.json", "node_modules"];
  if (names.some((name) => existsSync(join(folder, name)))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : findProject(parent);
}

/** @returns `undefined` if there is no file; an empty object if its content is damaged */
function readState(
  folder: string,
): { readonly version?: string; readonly secret?: string } | undefined {
  const path = join(folder, stateFile);
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8");
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}
