import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { root } from "../../_cli.ts";

describeWithChromium("the README's commands in a new clone", [], (open) => {
  test(
    "show an own method's result in a page within 60 seconds",
    { timeout: 180_000 },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "storefront-clone-"));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      execFileSync("git", ["clone", "--quiet", root, folder]);
      const install = (await findCommand("npm ci && npm start")).replace(" && npm start", "");
      const serve = await findCommand("npx vite examples/vite");

      const startedAt = performance.now();
      execFileSync("sh", ["-c", install], { cwd: folder, stdio: "pipe" });
      const origin = await start(serve, folder);
      const page = await open();
      await page.goto(origin);
      await page.getByText("Hello, guest!").waitFor();
      const seconds = (performance.now() - startedAt) / 1000;

      await page.getByLabel("Your name").fill("Ada");
      await page.getByRole("button").click();
      await page.getByText("Hello, Ada!").waitFor();
      await page.reload();
      await page.getByText("Hello, Ada!").waitFor();
      console.log(`The page showed the result after ${seconds.toFixed(1)} seconds`);
      expect(seconds).toBeLessThan(60);
    },
  );
});

test.each(["vite.config.ts", "page.ts"])("%s is printed in the README as it is", async (file) => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const path = `examples/vite/${file}`;
  const text = await readFile(join(root, path), "utf8");
  expect(readme).toContain(`\`\`\`ts ${path}\n${text}\`\`\``);
});

// --- Internal helpers ---

/** @throws Error if the README doesn't print the command */
async function findCommand(command: string): Promise<string> {
  const readme = await readFile(join(root, "README.md"), "utf8");
  if (!readme.includes(`\`\`\`sh\n${command}\n\`\`\``)) throw new Error(`No \`${command}\``);
  return command;
}

/** Runs Vite on any free port until the test ends. @returns its origin */
async function start(command: string, folder: string): Promise<string> {
  const child = spawn("sh", ["-c", `exec ${command} --port 0`], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "" },
    detached: true,
  });
  onTestFinished(async () => {
    process.kill(-(child.pid as number), "SIGKILL");
    await once(child, "close");
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const origin = /Local:.*?(http:\/\/localhost:\d+)/.exec(line)?.[1];
    if (origin !== undefined) return origin;
  }
  throw new Error("Vite did not start");
}
