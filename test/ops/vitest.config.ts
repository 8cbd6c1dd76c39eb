import { defineConfig } from "vitest/config";
import base from "../../vitest.config.ts";

/** Tests of the dashboard and the alert rules with a real Prometheus. Run them by `npm run test:ops`. */
export default defineConfig({
  resolve: base.resolve,
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/ops/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
