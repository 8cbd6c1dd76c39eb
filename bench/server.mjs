import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runOn, serverCore } from "./cores.mjs";

// Each server and each Redis of a table adds a listener.
process.setMaxListeners(0);

export const benchFolder = fileURLToPath(new URL(".", import.meta.url));
export const rootFolder = fileURLToPath(new URL("..", import.meta.url));
/** The program that users run. */
export const cli = fileURLToPath(new URL("../dist/server/cli/cli.js", import.meta.url));

/**
 * Starts a server in its own process, and waits until it prints its URL.
 * @param args the arguments for `node`
 * @param options `isPinned`: whether the server runs on the server's core only
 * @throws Error if the process exits instead
 */
export async function startServer(args, { env = {}, cwd = benchFolder, isPinned = false } = {}) {
  const { execPath } = process;
  const [command, all] = isPinned ? runOn(serverCore, execPath, args) : [execPath, args];
  const child = spawn(command, all, {
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
      // Reads all output, because a full pipe would block the server. Forgets it after the start.
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
    /** CPU time of all its threads since its start, in microseconds. */
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

/** proc_pid_stat(5): fields 14 and 15. Field 2 can contain spaces, and ends with the last `)`. */
function readCpu(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}
