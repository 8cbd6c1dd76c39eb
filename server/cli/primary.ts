import cluster from "node:cluster";
import { fileURLToPath } from "node:url";
import { createSafeLog } from "../../shared/log.ts";
import { StartError } from "../config/start-error.ts";
import { createLog } from "../console-log.ts";
import { print } from "./output.ts";
import { handleProcessErrors } from "./process-errors.ts";
import { Workers } from "./workers.ts";

/**
 * Runs `storefront start` in several worker processes, until a signal ends them. This process only accepts connections
 * and distributes them to the workers, one after another. It doesn't load the config.
 * @param count the number of workers
 * @throws Error with one line for an operator if the first worker does not start
 */
export async function runWorkers(count: number): Promise<void> {
  if (cluster.isWorker) {
    throw new StartError(
      "SF907",
      "--workers: found in a process that is a worker already, for example of pm2. Start pm2 with exec_mode fork, or leave out --workers",
    );
  }
  const log = createSafeLog(createLog(process.env["NODE_ENV"] === "production"));
  // Since Node 23.1, each worker could also have its own queue of connections, but they would be lost with it.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: fileURLToPath(import.meta.resolve("#worker")) });
  const workers = new Workers(count, log, (text) => print(process.stdout, text));
  let exitCode: number | undefined;

  function end(code: number): void {
    const isEnding = exitCode !== undefined;
    exitCode = Math.max(code, exitCode ?? 0);
    if (isEnding) return;
    log.info("The server shuts down; a second signal ends it immediately");
    void workers.stop().then((highest) => process.exit(Math.max(highest, exitCode ?? 0)));
  }

  handleProcessErrors(
    () => log,
    () => end(1),
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (exitCode === undefined) return end(0);
      // A second signal means: don't wait.
      workers.kill();
      process.exit(1);
    });
  }
  process.on("SIGHUP", () => workers.roll());
  const exit = await workers.start();
  if (exit === undefined || exitCode !== undefined) return;
  // A worker that exits has printed the reason.
  if (exit.code !== null) process.exit(exit.code || 1);
  throw new Error(`The first worker was killed by ${exit.signal} before it was ready`);
}
