import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

const source = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** Tests with killed and stopped servers, which take too long for `npm cit`: `npm run test:long` runs them. */
export const longTests = [
  "test/project/adapter-docs.test.ts",
  "test/rpc/commerce/commerce-crashes.test.ts",
  "test/rpc/commerce/grant-crashes.test.ts",
  "test/rpc/commerce/grant-processes.test.ts",
  "test/rpc/idempotency/key-processes.test.ts",
  "test/server/cli/cold-start.test.ts",
  "test/server/cli/process-errors.test.ts",
  "test/server/cli/shutdown.test.ts",
  "test/server/cli/slow-start.test.ts",
  "test/server/cli/workers.test.ts",
  "test/server/storage-timeout.test.ts",
  "test/server/testing/commerce-suite.test.ts",
  "test/storage/leases/lease-processes.test.ts",
  "test/storage/redis/client-options.test.ts",
  "test/storage/redis/cluster-replicas.test.ts",
  "test/storage/redis/redis-outages.test.ts",
];

export default defineConfig({
  resolve: {
    // Tests run the sources, so a config or an example that imports the package gets them too.
    alias: {
      "#commerce": source("rpc/commerce/kernel.ts"),
      "#development-data": source("server/config/development-data.ts"),
      "#dev-page": source("server/dev-page/dev-page-routes.ts"),
      "#drivers": source("storage/drivers.ts"),
      "#openapi": source("server/openapi/document.ts"),
      "#passwords": source("rpc/accounts/passwords.ts"),
      "storefront-core/client": source("rpc/client.ts"),
      "storefront-core/storage": source("storage/index.ts"),
      "storefront-core/react-query": source("adapters/react-query.ts"),
      "storefront-core/vue-query": source("adapters/vue-query.ts"),
      "storefront-core/durable-object": source("adapters/durable-object.ts"),
      "storefront-core/express": source("adapters/express.ts"),
      "storefront-core/fastify": source("adapters/fastify.ts"),
      "storefront-core/fetch": source("adapters/fetch.ts"),
      "storefront-core/node": source("adapters/node.ts"),
      "storefront-core/dev": source("server/dev.ts"),
      "storefront-core/sveltekit": source("adapters/sveltekit.ts"),
      "storefront-core/vite": source("adapters/vite.ts"),
      "storefront-core/nuxt/app": source("adapters/nuxt-app.ts"),
      "storefront-core/nuxt/server": source("adapters/nuxt-server.ts"),
      "storefront-core/vendure": source("adapters/vendure.ts"),
      "storefront-core/medusa": source("adapters/medusa.ts"),
      "storefront-core": source("server/index.ts"),
    },
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [
      ...configDefaults.exclude,
      "test/hosts/**",
      "test/ops/**",
      "test/commerce/**",
      "test/openapi/**",
      "test/site/**",
      ...longTests,
    ],
    globalSetup: "test/_global.ts",
    setupFiles: "test/_password-cost.ts",
    testTimeout: 20_000,
    // A poll ends when it succeeds. On a busy machine, that can take longer than the default of one second.
    expect: { poll: { timeout: 10_000 } },
    // Most tests wait for servers and clocks, so more run at a time than there are cores.
    maxWorkers: 3,
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"] },
    coverage: {
      include: ["server/**", "rpc/**", "storage/**", "adapters/**", "shared/**"],
      reporter: ["text"],
    },
  },
});
