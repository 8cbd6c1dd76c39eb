import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { describeWithChromium } from "../../_chromium.ts";
import { root } from "../../_cli.ts";
import { findFreePort, startCommand } from "../../_command.ts";

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
      const port = await findFreePort();
      const server = await startCommand(
        `${serve} --port ${port} --strictPort`,
        { cwd: folder },
        (output) => output.includes("Local:"),
      );
      onTestFinished(() => server.stop());
      const page = await open();
      await page.goto(`http://localhost:${port}`);
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
