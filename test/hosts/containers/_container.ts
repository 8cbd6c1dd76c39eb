import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { image, type ImageStore } from "./_image.ts";

/** A running container of the image. */
export interface TestContainer {
  readonly origin: string;
  /** Runs a command in it. @throws Error with the output if the command fails */
  execute(...command: readonly string[]): string;
  /** Sends SIGTERM, and waits. @returns the exit code */
  stop(): Promise<number>;
}

/**
 * Starts the image as `compose.yaml` does: as another user than root, without capabilities, with a read-only file system.
 * It uses the network of this machine, so that no bridge is needed.
 */
export async function startContainer(
  store: ImageStore,
  port: number,
  variables: Readonly<Record<string, string>>,
): Promise<TestContainer> {
  const name = `storefront-${port}`;
  const environment = Object.entries({ ...variables, PORT: port }).flatMap(([key, value]) => [
    "--env",
    `${key}=${value}`,
  ]);
  const isolation = ["--network", "host", "--read-only", "--read-only-tmpfs=false"];
  const privileges = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
  const options = [...isolation, ...privileges, ...limits, ...environment];
  store.podman("run", "--detach", "--pull", "never", "--name", name, ...options, image);
  onTestFinished(() => void store.podman("rm", "--force", "--time", "0", name));
  const origin = `http://127.0.0.1:${port}`;
  while (!(await isReady(origin))) {
    if (store.podman("inspect", "--format", "{{.State.Running}}", name).trim() !== "true") {
      throw new Error(`The container has ended:\n${store.podman("logs", name)}`);
    }
    await sleep(50);
  }
  return {
    origin,
    execute: (...command) => store.podman("exec", name, ...command),
    async stop() {
      const stopping = spawn("podman", store.toArguments("stop", "--time", "30", name), {
        stdio: "ignore",
      });
      await once(stopping, "exit");
      return Number(store.podman("inspect", "--format", "{{.State.ExitCode}}", name));
    },
  };
}

// --- Internal helpers ---

/** Podman's own limits can be above those of this machine. */
const limits = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=1024:1024"];

async function isReady(origin: string): Promise<boolean> {
  return fetch(`${origin}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
