import type { DriverLoader } from "./documents/driver.ts";

/**
 * The drivers that run on every runtime. Each `import()` is static, so a bundler can follow it. This file replaces
 * `drivers.ts` in a bundle for a worker, which has no TCP connections and no files.
 */
export const drivers = {
  async "lru-cache"(options) {
    const { default: createDriver } = await import("unstorage/drivers/lru-cache");
    return createDriver(options);
  },
  async http(options) {
    const { default: createDriver } = await import("unstorage/drivers/http");
    return createDriver(options as { base: string });
  },
} satisfies Readonly<Record<string, DriverLoader>>;

export const supports = [];
