import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";

/** Tests of a client that a generator makes from the OpenAPI document. Run them by `npm run test:openapi`. */
export default defineConfig({
  resolve: base.resolve,
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/openapi/**/*.test.ts"],
    globalSetup: "test/openapi/_install.ts",
    testTimeout: 60_000,
  },
});
