import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";

/** Tests with real commerce systems. Run them by `npm run test:commerce`, which also installs the systems. */
export default defineConfig({
  resolve: base.resolve,
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/commerce/**/*.test.ts"],
    globalSetup: ["test/_global.ts", "test/commerce/_install.ts"],
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // Each file runs a commerce system of its own.
    maxWorkers: 2,
  },
});
