import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type OutputFile } from "esbuild";
import { expect, test } from "vitest";

test("the client takes 3 kB at most, minified and compressed", async () => {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [`${root}rpc/client.ts`],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    write: false,
  });
  expect(outputFiles).toHaveLength(1);
  const { length } = gzipSync((outputFiles[0] as OutputFile).text, { level: 9 });
  expect(length).toBeGreaterThan(1000);
  expect(length).toBeLessThanOrEqual(3000);
});
