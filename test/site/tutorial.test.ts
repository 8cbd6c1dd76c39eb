import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { describeWithChromium } from "../_chromium.ts";
import { root } from "../_cli.ts";
import { describeWithRedis, useRedis } from "../_redis.ts";
import { Reader } from "./_play.ts";

describeWithRedis("with Redis", () => {
  const redis = useRedis();

  describeWithChromium("docs/getting-started.md and docs/tutorial.md", [], (open) => {
    test(
      "work as written, from an empty folder to a start in production",
      { timeout: 600_000 },
      async () => {
        const folder = await mkdtemp(join(tmpdir(), "storefront-tutorial-"));
        const packed = await mkdtemp(join(tmpdir(), "storefront-packed-"));
        const reader = new Reader(folder, {
          "npm install storefront-core": `npm install ${pack(packed)}`,
          "redis://localhost:6379": redis().url,
        });
        onTestFinished(async () => {
          await reader.stop();
          await Promise.all([folder, packed].map((path) => rm(path, { recursive: true })));
        });
        const started: string[] = [];
        const visit = async (command: string, origin: string) => {
          started.push(command);
          if (command !== "npx vite") return;
          const page = await open();
          await page.goto(origin);
          await page.getByRole("button", { name: "Friday" }).click();
          await page.getByText("We deliver on Friday.").waitFor();
          await page.reload();
          await page.getByText("We deliver on Friday.").waitFor();
        };
        await reader.follow("docs/getting-started.md", visit);
        await reader.follow("docs/tutorial.md", visit);
        expect(started).toHaveLength(5);
      },
    );
  });
});

/** @returns the path of the package as npm would publish it */
function pack(folder: string): string {
  const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  return join(folder, execFileSync("npm", args, { cwd: root }).toString().trim());
}
