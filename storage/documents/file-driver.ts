import { mkdir, open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Driver } from "unstorage";
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random.ts";
import { markWholeFiles } from "./driver.ts";

/**
 * Makes unstorage's `fs` or `fs-lite` driver write whole files: if a write fails midway, the file stays unchanged, and
 * a completed write survives a power failure. Only this user can read new files (mode 0600).
 * @param base the driver's folder, as an absolute path
 */
export function withWholeFiles(driver: Driver, base: string): Driver {
  // The driver builds paths in the same way; the keys of documents contain no `../..`.
  const toPath = (key: string) => join(base, key.replaceAll(":", "/"));
  const whole: Driver = {
    ...driver,
    setItem: (key, value) => writeWhole(toPath(key), value),
    setItemRaw: (key, value: string | Uint8Array) => writeWhole(toPath(key), value),
    removeItem: (key) => remove(toPath(key)),
    async getKeys(prefix, options) {
      const keys = await driver.getKeys(prefix, options);
      const leftovers = keys.filter((key) => temporaryName.test(key));
      await Promise.all(leftovers.map((key) => removeLeftover(toPath(key))));
      return keys.filter((key) => !temporaryName.test(key));
    },
  };
  markWholeFiles(whole);
  return whole;
}

// --- Internal helpers ---

/** The keys of documents contain no dot. */
const temporaryName = /\.[0-9a-f-]{36}\.tmp$/;

/** Milliseconds; longer than any write takes. */
const leftoverAge = 60_000;

async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${systemRandom.uuid()}.tmp`;
  try {
    await writeSynced(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

async function writeSynced(path: string, content: string | Uint8Array): Promise<void> {
  const file = await create(path);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, "wx", 0o600);
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  await syncFolder(dirname(path));
}

/** A rename survives a power failure only if the folder is synced, too; not every system allows that. */
async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, "r");
    await folder.sync();
  } catch (error) {
    if (!cannotSync.test(codeOf(error))) throw error;
  } finally {
    await folder?.close();
  }
}

const cannotSync = /^(?:EACCES|EINVAL|EISDIR|ENOENT|ENOTSUP|EPERM)$/;

/** Removes the temporary files of a killed process, except recent ones, which another process may be writing. */
async function removeLeftover(path: string): Promise<void> {
  const { mtimeMs = Infinity } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
  if (mtimeMs < systemClock.now() - leftoverAge)
    await rm(path, { force: true }).catch(() => undefined);
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | null)?.code);
}
