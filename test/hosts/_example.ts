import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../_cli.ts";
import { findFreePort, startCommand, type RunningCommand } from "../_command.ts";

/** A running example. */
export interface RunningExample extends RunningCommand {
  readonly origin: string;
  /** The folder of its copy, which runs. */
  readonly folder: string;
}

/**
 * Builds an example for production with a packed copy of this package, and starts it on a free port.
 * @param name of its folder in `examples/`
 * @param start gets the port as `PORT`, too
 * @throws Error with the output if a command fails
 */
export async function startExample(
  name: string,
  commands: {
    readonly build: string;
    readonly start: (port: number) => string;
    readonly env: Record<string, string>;
    /** A folder whose files are added to the example, or replace its files. */
    readonly files?: string;
  },
): Promise<RunningExample> {
  const top = mkdtempSync(join(tmpdir(), `storefront-${name}-`));
  const folder = join(top, "examples", name);
  const env = { ...commands.env, NODE_ENV: "production", CI: "true" };
  const run = (command: string, cwd: string) => {
    try {
      // A production install leaves out the build tools.
      const forBuild = { ...process.env, ...env, NODE_ENV: "" };
      const options = { cwd, env: forBuild, stdio: "pipe" as const };
      return execFileSync("sh", ["-c", command], options).toString();
    } catch (error) {
      const { stdout, stderr } = error as { readonly stdout: Buffer; readonly stderr: Buffer };
      throw new Error(`${command} failed:\n${stdout}\n${stderr}`, { cause: error });
    }
  };
  const pack = `npm pack --silent --ignore-scripts --pack-destination ${top}`;
  run(`tar -xzf ${join(top, run(pack, root).trim())} --strip-components=1`, top);
  dropScripts(join(top, "package.json"));
  mkdirSync(join(top, "examples"), { recursive: true });
  const skipped = /\/(?:node_modules|\.next|\.nuxt|\.output|\.svelte-kit|build|\.data)(?:\/|$)/;
  cpSync(join(root, "examples", name), folder, {
    recursive: true,
    filter: (source) => !skipped.test(source.slice(root.length)),
  });
  if (commands.files !== undefined) cpSync(commands.files, folder, { recursive: true });
  run("npm ci --no-audit --no-fund", folder);
  run(commands.build, folder);

  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  const { output, stop } = await startCommand(
    commands.start(port),
    { cwd: folder, env: { ...env, PORT: String(port) } },
    () => isServing(origin),
  );
  return {
    origin,
    folder,
    output,
    async stop() {
      await stop();
      rmSync(top, { recursive: true, force: true });
    },
  };
}

// --- Internal helpers ---

/** A packed copy has no sources to build. */
function dropScripts(path: string): void {
  const { scripts: _, ...rest } = JSON.parse(readFileSync(path, "utf8")) as { scripts?: object };
  writeFileSync(path, JSON.stringify(rest));
}

async function isServing(origin: string): Promise<boolean> {
  return fetch(origin).then(
    () => true,
    () => false,
  );
}
