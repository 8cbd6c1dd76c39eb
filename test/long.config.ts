import { defineConfig } from "vitest/config";
import base, { longTests } from "../vitest.config.ts";

/** Long tests of this project itself. Run them by `npm run test:long`. */
export default defineConfig({
  resolve: base.resolve,
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: [...longTests],
    globalSetup: ["test/_global.ts"],
    testTimeout: 180_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
  },
});
