import cluster from "node:cluster";
import { once } from "node:events";
import { readArguments } from "./arguments.ts";
import { fail } from "./output.ts";
import { handleClosedTerminal, ignoreOutputErrors } from "./process-errors.ts";
import { run, type Supervisor } from "./run.ts";
import type { MetricsSnapshot } from "../telemetry.ts";
import type { PrimaryMessage, WorkerMessage } from "./worker-process.ts";

// The program of each worker of `storefront start --workers`.
try {
  ignoreOutputErrors();
  handleClosedTerminal();
  // The terminal sends these signals to all its processes, so the primary gets them, too.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  const { config: file, port, host = "127.0.0.1" } = readArguments(process.argv.slice(2)).values;
  await run({ command: "start", file, port, host, supervisor: createSupervisor() });
} catch (error) {
  fail(error);
}

// --- Internal helpers ---

/** The primary, as a worker sees it. */
function createSupervisor(): Supervisor {
  return {
    ready: (description, drainSeconds) => send({ storefront: "ready", description, drainSeconds }),
    failing: () => send({ storefront: "failing" }),
    onEnd: (end) => {
      process.on("message", (message: PrimaryMessage) => {
        if (message?.storefront === "replaced") end("replaced");
        if (message?.storefront === "stop") end("shutdown");
      });
    },
    gatherMetrics,
    onMeasure: (measure) => {
      process.on("message", (message: PrimaryMessage) => {
        if (message?.storefront !== "measure") return;
        void measure().then((snapshot) => send({ storefront: "measured", snapshot }));
      });
    },
    // Waits for the primary: it can just have sent a connection, which this worker must hand back.
    async leave(last) {
      if (last !== undefined) send({ storefront: "measured", snapshot: last });
      cluster.worker?.disconnect();
      await once(process, "disconnect");
    },
  };
}

/** Asks the primary, which measures all workers. */
function gatherMetrics(): Promise<readonly MetricsSnapshot[]> {
  return new Promise((resolve) => {
    process.on("message", function receive(message: PrimaryMessage) {
      if (message?.storefront !== "gathered") return;
      process.off("message", receive);
      resolve(message.snapshots);
    });
    send({ storefront: "gather" });
  });
}

function send(message: WorkerMessage): void {
  process.send?.(message, () => undefined);
}
