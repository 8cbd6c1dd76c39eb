import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A PostgreSQL of its own, empty, on a free port. */
export interface TestPostgreSql {
  readonly url: string;
  /** Makes the server, and all its processes, keep their connections and answer nothing. */
  pause(): void;
  resume(): void;
  /** Kills the server, and starts it again with what it held. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Whether a PostgreSQL server can be started here. */
export const isPostgreSqlAvailable =
  spawnSync("initdb", ["--version"]).status === 0 &&
  spawnSync("postgres", ["--version"]).status === 0;

/** Starts a PostgreSQL on a free port. */
export async function startPostgreSql(): Promise<TestPostgreSql> {
  const user = findUser();
  const folder = await mkdtemp(join(tmpdir(), "storefront-postgresql-"));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder, stdio: "ignore" } as const;
  execFileSync("initdb", ["-D", data, "-U", "shop", "-A", "trust", "--no-sync"], options);
  const port = await findFreePort();
  const args = ["-D", data, "-k", folder, "-h", "127.0.0.1", "-p", String(port), "-F"];
  let server = await launch();

  async function launch() {
    const started = spawn("postgres", args, options);
    while (spawnSync("pg_isready", ["-h", "127.0.0.1", "-p", String(port)]).status !== 0) {
      if (started.exitCode !== null) throw new Error("PostgreSQL did not start");
      await sleep(50);
    }
    return started;
  }

  function signalAll(signal: NodeJS.Signals): void {
    const { stdout } = spawnSync("pgrep", ["-P", String(server.pid)], { encoding: "utf8" });
    const children = stdout.trim().split("\n").filter(Boolean).map(Number);
    for (const pid of [server.pid as number, ...children]) process.kill(pid, signal);
  }

  async function stop(): Promise<void> {
    if (server.exitCode !== null) return;
    const ended = once(server, "exit");
    // Ends at once, and takes the connections with it.
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

/** PostgreSQL does not run as root. */
function findUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return { uid: idOfNobody("-u"), gid: idOfNobody("-g") };
}

function idOfNobody(flag: "-u" | "-g"): number {
  return Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }).trim());
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
