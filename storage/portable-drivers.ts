import type { DriverLoader } from "./documents/driver.ts";

/** The drivers that run on every runtime. Each `import()` is static, so a bundler can follow it. */
export const portableDrivers = {
  async "lru-cache"(options) {
    const { default: createDriver } = await import("unstorage/drivers/lru-cache");
    return createDriver(options);
  },
  async http(options) {
    const { default: createDriver } = await import("unstorage/drivers/http");
    return createDriver(options as { base: string });
  },
} satisfies Readonly<Record<string, DriverLoader>>;
