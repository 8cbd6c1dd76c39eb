import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";

/** Tests with the programs of others: proxies, frameworks, and runtimes. Run them by `npm run test:hosts`. */
export default defineConfig({
  resolve: base.resolve,
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/hosts/**/*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // Each test runs servers and builds of its own.
    maxWorkers: 2,
  },
});
