import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test } from "vitest";
import { findFreePort } from "./_command.ts";

/** An empty PostgreSQL server on a free port. */
export interface TestPostgreSql {
  readonly url: string;
  /** Suspends the server's processes: connections stay open, without responses. */
  pause(): void;
  resume(): void;
  /** Kills the server, and restarts it with its data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Whether a PostgreSQL server can be started here. */
export const isPostgreSqlAvailable = ["initdb", "postgres", "pg_isready"].every(
  (name) => spawnSync(toProgram(name), ["--version"]).status === 0,
);

/** `describe` for tests that need PostgreSQL. Without it, the tests fail in CI and are skipped elsewhere. */
export function describeWithPostgreSql(name: string, body: () => void): void {
  if (isPostgreSqlAvailable) return void describe(name, body);
  // _global.ts prints the skipped tests, once for all files.
  if (!process.env["CI"]) return void describe.skip(name, body);
  describe(name, () => {
    test("needs postgres and initdb", () => {
      throw new Error(`"${name}" needs PostgreSQL; get it with: apt-get install postgresql`);
    });
  });
}

/** Starts a PostgreSQL on a free port. */
export async function startPostgreSql(): Promise<TestPostgreSql> {
  const user = findUser();
  const folder = await mkdtemp(join(tmpdir(), "storefront-postgresql-"));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder, stdio: "ignore" } as const;
  execFileSync(
    toProgram("initdb"),
    ["-D", data, "-U", "shop", "-A", "trust", "--no-sync"],
    options,
  );
  const port = await findFreePort();
  const args = ["-D", data, "-k", folder, "-h", "127.0.0.1", "-p", String(port), "-F"];
  let server = await launch();

  async function launch() {
    const started = spawn(toProgram("postgres"), args, options);
    while (
      spawnSync(toProgram("pg_isready"), ["-h", "127.0.0.1", "-p", String(port)]).status !== 0
    ) {
      if (started.exitCode !== null) throw new Error("PostgreSQL did not start");
      await sleep(50);
    }
    return started;
  }

  function signalAll(signal: NodeJS.Signals): void {
    const { stdout } = spawnSync("pgrep", ["-P", String(server.pid)], { encoding: "utf8" });
    const children = stdout.trim().split("\n").filter(Boolean).map(Number);
    process.kill(server.pid as number, signal);
    for (const pid of children) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        // A child can exit after pgrep lists it.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  }

  async function stop(): Promise<void> {
    if (server.exitCode !== null) return;
    const ended = once(server, "exit");
    // Stops immediately and closes all connections.
    server.kill("SIGQUIT");
    await ended;
  }

  return {
    url: `postgres://shop@127.0.0.1:${port}/postgres`,
    pause: () => signalAll("SIGSTOP"),
    resume: () => signalAll("SIGCONT"),
    async restart() {
      await stop();
      server = await launch();
    },
    async stop() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

// --- Internal helpers ---

/** Debian installs the server programs outside the PATH, in a folder for each version. */
function toProgram(name: string): string {
  const versions = "/usr/lib/postgresql";
  if (!existsSync(versions)) return name;
  const paths = readdirSync(versions).map((version) => join(versions, version, "bin", name));
  return paths.find((path) => existsSync(path)) ?? name;
}

/** PostgreSQL does not run as root. */
function findUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return { uid: idOfNobody("-u"), gid: idOfNobody("-g") };
}

function idOfNobody(flag: "-u" | "-g"): number {
  return Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }).trim());
}
