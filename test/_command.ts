import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** A command that serves. */
export interface RunningCommand {
  /** What it has printed so far. */
  readonly output: () => string;
  /** Ends it, and all that it started. */
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
      // A shell and what it runs make up a process group of their own.
      process.kill(-(child.pid as number), "SIGTERM");
      await exited;
    },
  };
}

/** A port that was free a moment ago, for commands that cannot take any. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
