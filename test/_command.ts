import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** A running command. */
export interface RunningCommand {
  /** Its output so far. */
  readonly output: () => string;
  /** Stops it and its child processes. */
  stop(): Promise<void>;
}

/** Runs a command, and waits until its output shows that it is ready. */
export async function startCommand(
  command: string,
  options: { cwd: string; env?: Record<string, string> },
  isReady: (output: string) => boolean,
): Promise<RunningCommand> {
  const child: ChildProcess = spawn("bash", ["-c", command], {
    cwd: options.cwd,
    env: { ...process.env, NODE_ENV: "", NO_COLOR: "1", ...options.env },
    detached: true,
  });
  let output = "";
  const exited = once(child, "exit");
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += String(chunk);
      if (isReady(output)) resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    void exited.then(() => reject(new Error(`"${command}" ended: ${output}`)));
  });
  return {
    output: () => output,
    async stop() {
      // A shell and its children form their own process group.
      process.kill(-(child.pid as number), "SIGTERM");
      await exited;
    },
  };
}

/**
 * A free port, for commands that can't choose one, and for servers that restart on their port. It is below the ports that
 * systems give to connections and to servers with port 0, so no other test takes it meanwhile.
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
