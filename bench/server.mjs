import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

// One listener for each server and each Redis of a table.
process.setMaxListeners(0);

export const benchFolder = fileURLToPath(new URL(".", import.meta.url));
export const rootFolder = fileURLToPath(new URL("..", import.meta.url));
/** The program that users run. */
export const cli = fileURLToPath(new URL("../dist/server/cli/cli.js", import.meta.url));

/**
 * Starts a server in a process of its own, and waits until it says where it listens.
 * @param args what `node` is to run
 * @throws Error where it ends instead
 */
export async function startServer(args, { env = {}, cwd = benchFolder } = {}) {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, NODE_ENV: "production", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  let output = "";
  const listening = new Promise((resolve, reject) => {
    const read = (chunk) => {
      // What is said after the start is read, or the server would wait, and let go.
      if (output.length < 100_000) output += chunk;
      const url = /listens on (http:\S+)/.exec(output)?.[1];
      if (url !== undefined) resolve(new URL(url).origin);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void exited.then(() => reject(new Error(`${args.join(" ")} did not start: ${output}`)));
  });
  return {
    origin: await listening,
    /** Microseconds of processor time since its start, of all its threads. */
    readCpu: () => readCpu(child.pid),
    async stop() {
      process.off("exit", end);
      end();
      await exited;
    },
  };
}

// --- Internal helpers ---

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"]));

/** proc_pid_stat(5): the 14th and 15th fields; the second may hold spaces, and ends with the last `)`. */
function readCpu(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}
