import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";

/** Tests of the built site. Run them by `npm run test:site`. */
export default defineConfig({
  resolve: base.resolve,
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/site/**/*.test.ts"],
    globalSetup: "test/site/_build.ts",
    testTimeout: 180_000,
  },
});
