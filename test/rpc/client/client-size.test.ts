import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";

test("the client takes 3 kB at most, minified and compressed", async () => {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const built = await build({
    root,
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      lib: { entry: `${root}rpc/client.ts`, formats: ["es"] },
      minify: true,
    },
  });
  const { output } = [built].flat()[0] as unknown as { output: [{ code: string }] };
  expect(output).toHaveLength(1);
  const { length } = gzipSync(output[0].code, { level: 9 });
  expect(length).toBeGreaterThan(1000);
  expect(length).toBeLessThanOrEqual(3000);
});
