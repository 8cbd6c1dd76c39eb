import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A running command. */
export interface RunningCommand {
  /** Its standard output and standard error so far. */
  readonly output: () => string;
  /** Kills it and its child processes. Does nothing if all of them have ended. */
  stop(): Promise<void>;
}

/**
 * Runs a command, and waits until it is ready.
 * @param isReady whether it is ready, by its output or by a request to it
 * @throws Error with its output if it ends before, or isn't ready within two minutes. The caller needs a longer timeout.
 */
export async function startCommand(
  command: string,
  { cwd, env }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
  isReady: (output: string) => boolean | Promise<boolean>,
): Promise<RunningCommand> {
  const child = spawn("bash", ["-c", command], {
    cwd,
    env: { ...process.env, NODE_ENV: "", NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A shell and its children form their own process group.
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const closed = once(child, "close");
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  // A child can outlive the shell.
  const kill = () => {
    try {
      process.kill(-(child.pid as number), "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  process.once("exit", kill);
  const stop = async () => {
    kill();
    process.off("exit", kill);
    // A child that has left the group lives on, and can hold the pipes.
    await Promise.race([closed, sleep(2000)]);
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    await closed;
  };
  const deadline = Date.now() + 120_000;
  while (!(await isReady(output))) {
    if (isOver() || Date.now() > deadline) {
      await stop();
      throw new Error(`"${command}" did not start: ${output}`);
    }
    await sleep(50);
  }
  return { output: () => output, stop };
}

/**
 * A free port, for commands that can't choose one, and for servers that restart on their port. It is below the ports that
 * systems give to connections and to servers with port 0, so no other test takes it.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
